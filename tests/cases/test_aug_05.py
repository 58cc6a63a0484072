"""AUG-05 (label-studio#6416, cvat#7051, rf-detr#413, linkml#1883): class numbers follow list order, not ids; names such
as yes and no turn into booleans."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.stages.ingest import ingest
from tests.pictures import config, encoded, write
from tests.rows import classes, column, new_run


def labels(folder: Path, root: Path) -> list[list[str]]:
    dataset = ingest(folder, config(root), new_run(root))
    found = column(dataset, "boxes")
    return [[box["label"] for box in boxes] for boxes in found if isinstance(boxes, list)]


def test_aug_05_coco_classes_go_by_their_ids(tmp_path: Path) -> None:
    folder = tmp_path / "coco"
    write(folder / "a.png", encoded(0))
    ids = {"zebra": 90, "cat": 1, "no": 17}
    document = {
        "images": [{"id": 5, "file_name": "a.png", "width": 24, "height": 16}],
        "annotations": [{"image_id": 5, "category_id": ids[name], "bbox": [1, 1, 4, 4]} for name in sorted(ids)],
        "categories": [{"id": number, "name": name} for name, number in ids.items()],
    }
    write(folder / "annotations.json", json.dumps(document))
    assert labels(folder, tmp_path) == [["cat", "no", "zebra"]]


@pytest.mark.parametrize(
    ("names", "first", "second"),
    [
        ("[no, yes]", "no", "yes"),
        ("{0: off, 1: on}", "off", "on"),
        ("{1: yes, 0: no}", "no", "yes"),
        ("[true, null]", "true", "null"),
        ("[007, 1e3]", "007", "1e3"),
        ("\n- 'n'\n- y", "n", "y"),
    ],
)
def test_aug_05_yolo_names_stay_as_they_were_written(tmp_path: Path, names: str, first: str, second: str) -> None:
    folder = tmp_path / "yolo"
    write(folder / "images" / "a.png", encoded(0))
    write(folder / "labels" / "a.txt", "1 0.5 0.5 0.5 0.5\n0 0.5 0.5 0.5 0.5\n")
    write(folder / "data.yaml", f"names: {names}\n")
    assert labels(folder, tmp_path) == [[second, first]]


def test_aug_05_json_names_that_look_like_others_stay_names(tmp_path: Path) -> None:
    folder = tmp_path / "coco"
    write(folder / "a.png", encoded(0))
    document = {
        "images": [{"id": 1, "file_name": "a.png"}],
        "annotations": [{"image_id": 1, "category_id": n, "bbox": [n, 1, 4, 4]} for n in (1, 2, 3)],
        "categories": [{"id": 1, "name": "no"}, {"id": 2, "name": "010"}, {"id": 3, "name": True}],
    }
    write(folder / "annotations.json", json.dumps(document))
    dataset = ingest(folder, config(tmp_path), new_run(tmp_path))
    assert classes(dataset) == ("010", "no", "true")
