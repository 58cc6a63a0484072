"""Boxes with their classes, as rows of data hold them ({label, x, y, width, height}), to and from plain numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.media.box_geometry import Boxes

SIDES = ("x", "y", "width", "height")

Box = dict[str, Any]


def rectangles(boxes: Sequence[Mapping[str, Any]]) -> Boxes:
    """float64 [n, 4]: x, y, width, height."""
    return np.array([[box[side] for side in SIDES] for box in boxes], dtype=np.float64).reshape(-1, len(SIDES))


def labelled(labels: Sequence[str], sides: Boxes) -> list[Box]:
    """The inverse of `rectangles`. sides: float64 [n, 4]."""
    return [
        {"label": label, **dict(zip(SIDES, row, strict=True))}
        for label, row in zip(labels, sides.tolist(), strict=True)
    ]
