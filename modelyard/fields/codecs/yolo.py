"""YOLO: a text file a picture, a line a box: class number, then centre and size as shares of width and height.

Five numbers a line are a box; an odd count from seven on is a class and the corners of a polygon, or of a rotated box:
the upright box around them is taken. All on the upright picture.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from modelyard.media.box_geometry import Boxes, areas, around, clipped
from modelyard.media.named_boxes import Box, labelled, rectangles

DIGITS = 10  # of a share: a millionth of a pixel in the widest picture


def read_line(line: str, names: Mapping[int, str]) -> tuple[str, Boxes]:
    """The class name and the box as shares: float64 [4] of x, y, width, height. Raises ValueError."""
    words = line.split()
    try:
        number, *shares = (float(word) for word in words)
    except ValueError:
        raise ValueError(f"not numbers: {line.strip()[:60]!r}") from None
    if not number.is_integer() or int(number) not in names:
        raise ValueError(f"the class {words[0]}, which names does not define")
    if not all(map(math.isfinite, shares)):
        raise ValueError(f"numbers that are not finite: {line.strip()[:60]!r}")
    found = np.array(shares, dtype=np.float64)
    if len(found) == 4:
        if (found[2:] < 0).any():
            raise ValueError(f"a negative size: {line.strip()[:60]!r}")
        return names[int(number)], np.concatenate([found[:2] - found[2:] / 2, found[2:]])
    if len(found) >= 6 and len(found) % 2 == 0:
        return names[int(number)], around(found.reshape(-1, 2))
    raise ValueError(f"{len(words)} numbers; a box has 5, a polygon an odd count from 7 on")


def boxes_of(lines: Sequence[tuple[str, Boxes]], width: int, height: int) -> tuple[list[Box], int]:
    """The boxes in pixels of a picture of that size, cut at its edges, and how many have no area in it."""
    shares = np.stack([found for _, found in lines]) if lines else np.zeros((0, 4))
    found = clipped(shares * np.array([width, height, width, height], dtype=np.float64), width, height)
    seen = areas(found) > 0
    labels = [label for (label, _), there in zip(lines, seen, strict=True) if there]
    return labelled(labels, found[seen]), len(lines) - len(labels)


def lines_of(boxes: Sequence[Box], classes: Sequence[str], width: int, height: int) -> list[str]:
    """A line a box; its number is the place of its class in `classes`, from 0. Raises ValueError for another class."""
    number = {name: place for place, name in enumerate(classes)}
    strange = next((box["label"] for box in boxes if box["label"] not in number), None)
    if strange is not None:
        raise ValueError(f"a box of the class {strange!r}, which is none of the classes")
    sides = rectangles(boxes)
    centres = np.concatenate([sides[:, :2] + sides[:, 2:] / 2, sides[:, 2:]], axis=1)
    shares = centres / np.array([width, height, width, height], dtype=np.float64)
    return [
        " ".join([str(number[box["label"]]), *(f"{share:.{DIGITS}g}" for share in row)])
        for box, row in zip(boxes, shares.tolist(), strict=True)
    ]
