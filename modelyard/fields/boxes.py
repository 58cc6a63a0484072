"""Boxes: what lies where in a picture: a class name and a rectangle, any number of them."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from modelyard.fields.label import Label
from modelyard.media.named_boxes import SIDES, Box

BOX = pa.struct([("label", pa.string()), *((side, pa.float64()) for side in SIDES)])
MOST = 10_000


class Boxes:
    """A list of {label, x, y, width, height} in pixels of the upright picture, from its top left corner. None of them
    (`[]`) is a value: a picture with nothing on it.

    A box has an area, and may reach over the edge of the picture: the field does not know its size.
    """

    name = "boxes"

    def arrow_type(self) -> pa.DataType:
        return pa.list_(BOX)

    def read(self, value: Any) -> list[Box] | None:
        """value: such a list, its JSON, or as `datasets` writes objects, {"bbox": [[x, y, width, height], ...],
        "categories": [...]}."""
        if isinstance(value, str):
            if not value.strip():
                return None
            try:
                value = json.loads(value)
            except (ValueError, RecursionError):
                raise ValueError("not JSON of boxes") from None
        if value is None:
            return None
        if isinstance(value, Mapping):
            value = _from_columns(value)
        if not isinstance(value, Sequence) or isinstance(value, str | bytes):
            raise ValueError(f"a {type(value).__name__}, not a list of boxes")
        if len(value) > MOST:
            raise ValueError(f"{len(value):,} boxes; at most {MOST:,} are read")
        return [_box(box, number) for number, box in enumerate(value, start=1)]

    def canonical(self, value: Any) -> bytes:
        rows = [[box["label"], *(float(box[side]) for side in SIDES)] for box in value]
        return json.dumps(rows, ensure_ascii=False, separators=(",", ":")).encode()


def _from_columns(value: Mapping[str, Any]) -> list[Box]:
    """{"bbox": [...], "categories": [...]}: as many of both."""
    labels = next((value[key] for key in ("categories", "category", "label", "labels") if key in value), None)
    rectangles = value.get("bbox", value.get("bboxes"))
    if not isinstance(labels, Sequence) or not isinstance(rectangles, Sequence) or len(labels) != len(rectangles):
        raise ValueError("an object that holds no boxes (bbox and categories, as many of both)")
    boxes = []
    for label, sides in zip(labels, rectangles, strict=True):
        if not isinstance(sides, Sequence) or isinstance(sides, str | bytes) or len(sides) != len(SIDES):
            raise ValueError(f"a bbox holds {SIDES[0]}, {', '.join(SIDES[1:])}")
        boxes.append({"label": label, **dict(zip(SIDES, sides, strict=True))})
    return boxes


def _box(value: Any, number: int) -> Box:
    if not isinstance(value, Mapping) or any(key not in value for key in ("label", *SIDES)):
        raise ValueError(f"box {number} lacks one of label, {', '.join(SIDES)}")
    try:
        label = Label().read(value["label"])
    except ValueError as error:
        raise ValueError(f"box {number}: {error}") from None
    if label is None:
        raise ValueError(f"box {number} has no label")
    box: Box = {"label": label}
    for side in SIDES:
        given = value[side]
        if not _is_number(given):
            raise ValueError(f"box {number}: {side} is {str(given)[:40]!r}, not a number")
        try:
            box[side] = float(given)
        except OverflowError:
            box[side] = math.inf
        if not math.isfinite(box[side]):
            raise ValueError(f"box {number}: {side} is not finite")
    if box["width"] <= 0 or box["height"] <= 0:
        raise ValueError(f"box {number} ({label}) has no area: {box['width']:g} x {box['height']:g}")
    return box


def _is_number(value: Any) -> bool:
    if not isinstance(value, str):
        return isinstance(value, int | float) and not isinstance(value, bool)
    try:
        float(value)
    except ValueError:
        return False
    return "_" not in value  # which Python reads, and nobody writes into a table
