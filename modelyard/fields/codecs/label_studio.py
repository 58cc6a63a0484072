"""Label Studio: regions in per cent of width and height, turned clockwise in degrees about their top left corner.

The size that per cents are of is that of the upright picture, which is what a person drew on: `original_width` and
`original_height` come from different programs, and some of them do not turn a phone's picture.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.fields.codecs.numbers import finite
from modelyard.fields.label import Label
from modelyard.media.box_geometry import areas, around, clipped, rotated_corners
from modelyard.media.named_boxes import SIDES, Box, labelled, rectangles

KIND = "rectanglelabels"


def boxes_of(results: Sequence[Mapping[str, Any]], width: int, height: int) -> list[Box]:
    """The rectangles among the results of one annotation, in pixels of the upright picture of that size; what is
    rotated becomes the upright box around it, cut at the picture's edges; what has no area in it is left out.

    Raises ValueError for a rectangle without its numbers or its label, and for one drawn on a picture that was turned
    by hand (image_rotation), where it lies nobody says.
    """
    labels: list[str] = []
    found = []
    for result in results:
        value = result.get("value")
        if result.get("type") != KIND or not isinstance(value, Mapping):
            continue
        if result.get("image_rotation"):
            raise ValueError(f"a rectangle on a picture that was turned by {result['image_rotation']} degrees")
        names = value.get(KIND)
        label = Label().read(names[0]) if isinstance(names, list) and names else None
        if label is None:
            raise ValueError("a rectangle without a label")
        x, y, wide, high, degrees = (_number(value.get(key, 0)) for key in (*SIDES, "rotation"))
        labels.append(label)
        pixels = (x * width / 100, y * height / 100, wide * width / 100, high * height / 100)
        found.append(around(rotated_corners(*pixels, degrees)) if degrees else np.array(pixels, dtype=np.float64))
    sides = clipped(np.stack(found) if found else np.zeros((0, 4)), width, height)
    seen = areas(sides) > 0
    return labelled([label for label, there in zip(labels, seen, strict=True) if there], sides[seen])


def results_of(boxes: Sequence[Box], width: int, height: int, to_name: str, from_name: str) -> list[dict[str, Any]]:
    """Results that Label Studio shows as rectangles on the picture `to_name`, by the control `from_name`."""
    per_cent = rectangles(boxes) * 100 / np.array([width, height, width, height], dtype=np.float64)
    return [
        {
            "type": KIND,
            "from_name": from_name,
            "to_name": to_name,
            "original_width": width,
            "original_height": height,
            "image_rotation": 0,
            "value": {**dict(zip(SIDES, sides, strict=True)), "rotation": 0, KIND: [box["label"]]},
        }
        for box, sides in zip(boxes, per_cent.tolist(), strict=True)
    ]


def _number(value: Any) -> float:
    found = finite(value)
    if found is None:
        raise ValueError(f"a rectangle with {str(value)[:40]!r} for a number")
    return found
