"""Pictures are labelled in a table that names them; they lie beside it."""

from __future__ import annotations

import csv
from pathlib import Path

from modelyard.chain.project import load_project
from modelyard.chain.runner import ChainOutcome, run_chain
from modelyard.chain.workspace import Workspace
from modelyard.store import Dataset
from tests.annotators import read_rows, write_rows
from tests.pictures import encoded, write
from tests.rows import Heard, column

YAML = """\
task: image_classification
data: pictures
annotate: {guideline: guideline.yaml, annotators: [anna, ben], arbiter: chen}
"""


def go(folder: Path) -> ChainOutcome:
    place = Workspace(folder / ".modelyard")
    try:
        return run_chain(load_project(folder), place, Heard(), last="annotate")
    finally:
        place.close()


def test_ann_07_pictures_of_one_name_in_two_folders_are_two_files_beside_the_table(tmp_path: Path) -> None:
    """label-studio-converter#132, label-studio#7096: of pictures of one name only one is left."""
    there = {"monday/1.png": encoded(1), "tuesday/1.png": encoded(2), "tuesday/2.png": encoded(3, kind="JPEG")}
    for name, content in there.items():
        write(tmp_path / "pictures" / name, content)
    with (tmp_path / "pictures" / "metadata.csv").open("w", newline="") as file:
        csv.writer(file).writerows([("file_name",), *((name,) for name in there)])
    (tmp_path / "guideline.yaml").write_text("name: animals\nlabels: [cat, dog]\n")
    (tmp_path / "modelyard.yaml").write_text(YAML)
    assert go(tmp_path).outcome == "waiting"
    given = {content: "cat" if place else "dog" for place, content in enumerate(there.values())}
    for person in ("anna", "ben"):
        path = tmp_path / "annotate" / person / f"batch-001-{person}.csv"
        rows = read_rows(path)
        shown = {row["image"]: (path.parent / row["image"]).read_bytes() for row in rows}
        assert sorted(shown.values()) == sorted(there.values())
        assert sorted(Path(name).suffix for name in shown) == [".jpg", ".png", ".png"]
        for row in rows:
            row["label"] = given[shown[row["image"]]]
        write_rows(path, rows)
    dataset = go(tmp_path).stages[-1].output
    assert isinstance(dataset, Dataset)
    assert dict(zip(column(dataset, "image"), column(dataset, "label"), strict=True)) == given
