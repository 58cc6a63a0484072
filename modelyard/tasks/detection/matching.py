"""Whether two sets of boxes say the same: order means nothing, and neither does a box that is hardly believed."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from modelyard.media.box_geometry import iou, size_form
from modelyard.tasks.detection.select import BOXES, CLASSES, SCORES
from modelyard.tasks.pipeline import Array

SURE = 0.5  # the score from which on a box counts as said
SAME = 0.5  # intersection over union of two boxes that mean one thing


def same_detections(found: Mapping[str, Array], wanted: Mapping[str, Array]) -> Array:
    """bool [items]: whether each sure box of either side has a box of its own on the other side, of the same class and
    lying where it lies. The other one need not be sure: a score may lie on either side of SURE by a rounding error."""
    rows = range(len(found[BOXES]))
    same: Array = np.array([_covered(found, wanted, row) and _covered(wanted, found, row) for row in rows], dtype=bool)
    return same


def _covered(one: Mapping[str, Array], other: Mapping[str, Array], row: int) -> bool:
    """Whether every sure box of `one` has its own partner in `other`; surest first, each takes the nearest free one."""
    sure = np.flatnonzero(one[SCORES][row] >= SURE)
    there = np.flatnonzero(other[SCORES][row] > 0)
    if len(sure) > len(there):
        return False
    alike = iou(_sides(one, row, sure), _sides(other, row, there))
    alike[one[CLASSES][row][sure][:, None] != other[CLASSES][row][there][None, :]] = 0.0
    for place in range(len(sure)):
        best = int(alike[place].argmax())
        if alike[place, best] < SAME:
            return False
        alike[:, best] = 0.0
    return True


def _sides(tensors: Mapping[str, Array], row: int, places: Array) -> Array:
    return size_form(tensors[BOXES][row][places].astype(np.float64))
