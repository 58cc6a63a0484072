"""True boxes as numbers, between the field `boxes` of the data and the cells of a network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.media.named_boxes import rectangles
from modelyard.tasks.pipeline import Array


def box_targets(rows: Sequence[Sequence[Mapping[str, Any]]], labels: Sequence[str]) -> list[Array]:
    """float32 [boxes, 5] of each row: number of the class, x1, y1, x2, y2 in pixels of the picture.

    Raises BadInput for a class that is not in `labels`.
    """
    number = {label: place for place, label in enumerate(labels)}
    unknown = sorted({box["label"] for row in rows for box in row} - number.keys())
    if unknown:
        raise BadInput(
            f"the class {unknown[0]!r} is not one of the model's: {', '.join(labels)}",
            next="train on data that has every class",
        )
    found = []
    for row in rows:
        sides = rectangles(row)
        classes = np.array([[number[box["label"]]] for box in row], dtype=np.float64).reshape(-1, 1)
        corners = np.concatenate([classes, sides[:, :2], sides[:, :2] + sides[:, 2:]], axis=1)
        found.append(corners.astype(np.float32))
    return found
