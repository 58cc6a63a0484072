"""ANN-07 (label-studio-converter#132, label-studio#7096, geti#7496): pictures of the same name in two folders overwrite
each other on export."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from modelyard.annotate.export import write_coco, write_yolo
from modelyard.annotate.export.picture_rows import plain_path
from modelyard.stages.ingest import ingest
from modelyard.store import Dataset
from tests.pictures import box, config, encoded, write
from tests.pictures import write_coco as scenes
from tests.rows import column, new_run


def contents(found: Dataset) -> dict[object, list[tuple[object, ...]]]:
    """The boxes of each picture, by its bytes."""
    boxes = [[tuple(box.values()) for box in each] for each in column(found, "boxes")]  # type: ignore[attr-defined]
    return dict(zip(column(found, "image"), boxes, strict=True))


@pytest.mark.parametrize("write_folder", [write_coco, write_yolo])
def test_ann_07_pictures_of_one_name_in_two_folders_stay_two(
    tmp_path: Path, write_folder: Callable[[Dataset, Path], Path]
) -> None:
    folder = scenes(tmp_path / "data", {"monday/1.png": [box(x=6)], "tuesday/1.png": [box("no", 4, 2, 8, 4)]})
    before = ingest(folder, config(tmp_path), new_run(tmp_path))
    after = ingest(write_folder(before, tmp_path / "out"), config(tmp_path), new_run(tmp_path / "other"))
    assert len(contents(after)) == 2
    for picture, boxes in contents(before).items():
        assert contents(after)[picture] == [
            (label, *(pytest.approx(side, abs=1e-6) for side in sides)) for label, *sides in boxes
        ]


@pytest.mark.parametrize("write_folder", [write_coco, write_yolo])
def test_ann_07_names_that_differ_in_case_or_ending_alone_stay_apart(
    tmp_path: Path, write_folder: Callable[[Dataset, Path], Path]
) -> None:
    """`a.png` and `A.png` are one file on many systems; `a.png` and `a.jpg` have one text file of labels in YOLO."""
    names = ["a.png", "A.png", "a.jpg", "b.png"]
    document = {"images": [], "annotations": [], "categories": [{"id": 1, "name": "yes"}]}
    for number, name in enumerate(names):
        write(tmp_path / "data" / name, encoded(number, kind="JPEG" if name.endswith("jpg") else "PNG"))
        document["images"].append({"id": number, "file_name": name})
        document["annotations"].append({"image_id": number, "category_id": 1, "bbox": [number, 1, 4, 4]})
    write(tmp_path / "data" / "annotations.json", json.dumps(document))
    before = ingest(tmp_path / "data", config(tmp_path), new_run(tmp_path))
    written = write_folder(before, tmp_path / "out")
    stems = [path.stem.casefold() for path in (written / "images").iterdir()]
    assert len(set(stems)) == len(names)
    after = ingest(written, config(tmp_path), new_run(tmp_path / "other"))
    assert contents(after).keys() == contents(before).keys()
    for picture, ((_, x, *_),) in contents(before).items():
        assert contents(after)[picture][0][1] == pytest.approx(x, abs=1e-6)


@pytest.mark.parametrize("write_folder", [write_coco, write_yolo])
def test_ann_07_the_same_picture_listed_twice_is_written_twice(
    tmp_path: Path, write_folder: Callable[[Dataset, Path], Path]
) -> None:
    folder = scenes(tmp_path / "data", {"1.png": [box()], "2.png": [box()]})
    document = json.loads((folder / "annotations.json").read_text())
    document["images"].append({**document["images"][0], "id": 99})
    write(folder / "annotations.json", json.dumps(document))
    before = ingest(folder, config(tmp_path), new_run(tmp_path))
    assert before.rows() == 3
    written = write_folder(before, tmp_path / "out")
    assert len(list((written / "images").iterdir())) == 3


def test_ann_07_a_name_cannot_lead_out_of_the_folder(tmp_path: Path) -> None:
    assert plain_path("../../etc/x.png") == "etc/x.png"
    assert plain_path("C:\\pictures\\1.png") == "C_/pictures/1.png"
    assert plain_path("/abs/./a?.png") == "abs/a_.png"
