"""A COCO folder: images/, and annotations.json or one file a side."""

from __future__ import annotations

import json
from collections import defaultdict
from pathlib import Path

from modelyard.annotate.export.picture_rows import classes_of, picture_rows, whole_folder
from modelyard.errors import BadInput
from modelyard.fields.codecs.coco import document_of
from modelyard.media.named_boxes import Box
from modelyard.store import Dataset

WHOLE = "annotations.json"
OF_SIDE = "annotations/instances_{side}.json"


def write_coco(dataset: Dataset, folder: Path) -> Path:
    """Pictures as they are under images/ (with a split: images/train/, ...), boxes in pixels of the upright picture.

    Boxes and file names of a side lie in memory. Raises BadInput when the folder holds something.
    """
    classes = classes_of(dataset)
    with whole_folder(folder) as building:
        rows: dict[str | None, list[tuple[str, int, int, list[Box]]]] = defaultdict(list)
        for row in picture_rows(dataset):
            place = building / "images" / (row.side or "") / row.name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(row.content)
            rows[row.side].append((row.name, row.header.width, row.header.height, row.boxes))
        if not rows:
            raise BadInput("the dataset has no rows to write")
        for side, listed in rows.items():
            path = building / (OF_SIDE.format(side=side) if side else WHOLE)
            path.parent.mkdir(exist_ok=True)
            path.write_text(json.dumps(document_of(listed, classes), ensure_ascii=False), "utf-8")
    return folder
