"""Boxes as numbers: float64 [n, 4] of x, y, width, height in pixels (top left, y downwards), unless said otherwise.

A pixel is a square: a picture of width 7 reaches from 0.0 to 7.0, and a box of one pixel is 1 wide (as in COCO).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelyard.media.pixels import SIDEWAYS

Boxes = np.ndarray[Any, np.dtype[np.float64]]


def corner_form(boxes: Boxes) -> Boxes:
    """x, y, width, height as x1, y1, x2, y2."""
    return np.concatenate([boxes[:, :2], boxes[:, :2] + boxes[:, 2:]], axis=1)


def size_form(corners: Boxes) -> Boxes:
    """The inverse of `corner_form`."""
    return np.concatenate([corners[:, :2], corners[:, 2:] - corners[:, :2]], axis=1)


def clipped(boxes: Boxes, width: float, height: float) -> Boxes:
    """What of each box lies in a picture of that size; nothing of it: width or height 0."""
    corners = corner_form(boxes)
    inside = np.clip(corners, 0.0, np.array([width, height, width, height], dtype=np.float64))
    result = size_form(inside)
    # What lies inside keeps its numbers: x2 - x1 need not give the width back to the last bit.
    untouched = (inside == corners).all(axis=1)
    result[untouched] = boxes[untouched]
    return result


def areas(boxes: Boxes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """float64 [n]"""
    found: Boxes = boxes[:, 2] * boxes[:, 3]
    return found


def iou(one: Boxes, other: Boxes) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Intersection over union of every pair: float64 [n, m]; 0 where both have no area."""
    a, b = corner_form(one), corner_form(other)
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    shared = np.clip(high - low, 0.0, None).prod(axis=2)
    union = areas(one)[:, None] + areas(other)[None, :] - shared
    result: Boxes = np.divide(shared, union, out=np.zeros_like(shared), where=union > 0)
    return result


def rotated_corners(x: float, y: float, width: float, height: float, degrees: float) -> Boxes:
    """The four corners of a box turned clockwise about its top left corner, as Label Studio turns: float64 [4, 2],
    from that corner on, clockwise. All in pixels: in per cent of a picture that is not square it is no rotation."""
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    along, down = np.array([cosine, sine]) * width, np.array([-sine, cosine]) * height
    start = np.array([x, y], dtype=np.float64)
    return np.stack([start, start + along, start + along + down, start + down])


def rotated_about_centre(x: float, y: float, width: float, height: float, degrees: float) -> Boxes:
    """The four corners of a box turned clockwise about its centre, as CVAT turns: float64 [4, 2]."""
    corners = rotated_corners(x, y, width, height, degrees)
    shift: Boxes = np.array([x + width / 2, y + height / 2]) - corners.mean(axis=0)
    return corners + shift


def around(points: Boxes) -> Boxes:
    """The upright box around points [k, 2]: float64 [4]."""
    low, high = points.min(axis=0), points.max(axis=0)
    return np.concatenate([low, high - low])


def turned(boxes: Boxes, orientation: int, stored_width: float, stored_height: float) -> Boxes:
    """Boxes on the stored pixels of a picture, as they lie on the upright one (`media.pixels.upright`)."""
    if orientation == 1:
        return boxes
    x1, y1, x2, y2 = corner_form(boxes).T
    width, height = stored_width, stored_height
    if orientation in SIDEWAYS:
        x1, y1, x2, y2 = y1, x1, y2, x2
        width, height = height, width
    if orientation in (2, 3, 6, 7):
        x1, x2 = width - x2, width - x1
    if orientation in (3, 4, 7, 8):
        y1, y2 = height - y2, height - y1
    return size_form(np.stack([x1, y1, x2, y2], axis=1))
