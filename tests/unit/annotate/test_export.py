"""Datasets of pictures as COCO and YOLO folders, and back. The oracle for COCO is pycocotools."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from pycocotools.coco import COCO

from modelyard.annotate.export import write_coco, write_yolo
from modelyard.errors import BadInput
from modelyard.stages.ingest import ingest
from modelyard.stages.split import SplitConfig, split
from modelyard.store import Dataset
from tests.pictures import box, config, encoded, write
from tests.pictures import write_coco as scenes
from tests.rows import column, labelled, new_run

SCENES = {f"{n}.png": [box("yes", n % 20, 1), box("no", 3.25, 4.5, 5.125, 6)][: n % 3] for n in range(24)}


def dataset(tmp_path: Path, *, divided: bool = False) -> Dataset:
    run = new_run(tmp_path)
    read = ingest(scenes(tmp_path / "data", SCENES), config(tmp_path), run)
    return split(read, SplitConfig(min_rows_per_class=0), run) if divided else read


def by_id(found: Dataset, name: str) -> dict[object, object]:
    return dict(zip(column(found, "row_id"), column(found, name), strict=True))


@pytest.mark.parametrize("write_folder", [write_coco, write_yolo])
@pytest.mark.parametrize("divided", [False, True])
def test_what_was_written_is_read_back(tmp_path: Path, write_folder: type(write_coco), divided: bool) -> None:  # type: ignore[valid-type]
    before = dataset(tmp_path, divided=divided)
    folder = write_folder(before, tmp_path / "out")
    after = ingest(folder, config(tmp_path), new_run(tmp_path / "other"))
    expected = {
        row: [{k: v if k == "label" else pytest.approx(v, abs=1e-6) for k, v in each.items()} for each in boxes]
        for row, boxes in by_id(before, "boxes").items()
    }
    assert by_id(after, "boxes") == expected
    assert by_id(after, "image") == by_id(before, "image")
    assert after.column("boxes").classes == before.column("boxes").classes
    assert after.has("split") == divided
    if divided:
        assert by_id(after, "split") == by_id(before, "split")


def test_pycocotools_reads_the_same_boxes(tmp_path: Path) -> None:
    folder = write_coco(dataset(tmp_path), tmp_path / "out")
    read = COCO(str(folder / "annotations.json"))
    names = {category["id"]: category["name"] for category in read.loadCats(read.getCatIds())}
    for image in read.loadImgs(read.getImgIds()):
        assert (image["width"], image["height"]) == (24, 16)
        found = [(names[a["category_id"]], *a["bbox"]) for a in read.loadAnns(read.getAnnIds(imgIds=[image["id"]]))]
        assert found == [tuple(each.values()) for each in SCENES[image["file_name"]]]


def test_sides_and_names_stand_in_data_yaml(tmp_path: Path) -> None:
    described = yaml.safe_load(
        (write_yolo(dataset(tmp_path, divided=True), tmp_path / "out") / "data.yaml").read_text()
    )
    assert described["names"] == {0: "no", 1: "yes"}
    assert described["nc"] == 2
    assert described["val"] == "images/validation"


def test_sizes_are_of_the_upright_picture(tmp_path: Path) -> None:
    write(tmp_path / "data" / "phone.jpg", encoded(1, 40, 20, "JPEG", orientation=6))
    row = {"file_name": "phone.jpg", "boxes": [box("yes", 2, 30, 10, 6)]}
    write(tmp_path / "data" / "metadata.jsonl", json.dumps(row) + "\n")
    read = ingest(tmp_path / "data", config(tmp_path), new_run(tmp_path))
    (image,) = json.loads((write_coco(read, tmp_path / "coco") / "annotations.json").read_text())["images"]
    assert (image["width"], image["height"]) == (20, 40)
    text = (write_yolo(read, tmp_path / "yolo") / "labels/phone.txt").read_text()
    assert [float(word) for word in text.split()] == pytest.approx([0, 7 / 20, 33 / 40, 0.5, 0.15])


def test_a_folder_that_holds_something_is_left_alone(tmp_path: Path) -> None:
    write(tmp_path / "out" / "mine.txt", "mine")
    with pytest.raises(BadInput, match="is there already"):
        write_coco(dataset(tmp_path), tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["mine.txt"]


def test_a_dataset_of_texts_is_no_pictures(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="exactly one input column of kind image"):
        write_yolo(labelled(new_run(tmp_path), [("a text", "a"), ("b text", "b")]), tmp_path / "out")
    assert not (tmp_path / "out").exists()
