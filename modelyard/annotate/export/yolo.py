"""A YOLO folder: data.yaml, images/ and labels/, a text file a picture."""

from __future__ import annotations

from pathlib import Path

import yaml

from modelyard.annotate.export.picture_rows import SIDES, classes_of, picture_rows, whole_folder
from modelyard.errors import BadInput
from modelyard.fields.codecs.yolo import lines_of
from modelyard.store import Dataset

KEYS = {"train": "train", "validation": "val", "test": "test"}


def write_yolo(dataset: Dataset, folder: Path) -> Path:
    """Pictures as they are, boxes as shares of the upright picture. Without a split train and val are the whole, as the
    tools that read this want both.

    Raises BadInput when the folder holds something.
    """
    classes = classes_of(dataset)
    sides: set[str | None] = set()
    with whole_folder(folder) as building:
        for row in picture_rows(dataset):
            sides.add(row.side)
            lines = lines_of(row.boxes, classes, row.header.width, row.header.height)
            picture = building / "images" / (row.side or "") / row.name
            text = (building / "labels" / (row.side or "") / row.name).with_suffix(".txt")
            for path, content in ((picture, row.content), (text, "".join(f"{line}\n" for line in lines).encode())):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        if not sides:
            raise BadInput("the dataset has no rows to write")
        places = {KEYS[side]: f"images/{side}" for side in SIDES if side in sides} or {
            "train": "images",
            "val": "images",
        }
        described = {**places, "nc": len(classes), "names": dict(enumerate(classes))}
        (building / "data.yaml").write_text(yaml.safe_dump(described, sort_keys=False, allow_unicode=True), "utf-8")
    return folder
