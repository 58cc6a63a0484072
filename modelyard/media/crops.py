"""A window cut out of a picture, and what its boxes become."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.media.box_geometry import Boxes, areas, clipped
from modelyard.media.pixels import Pixels

Flags = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Window:
    """In whole pixels, inside the picture."""

    x: int
    y: int
    width: int
    height: int


def random_window(width: int, height: int, smallest: float, generator: np.random.Generator) -> Window:
    """A window of at least `smallest` of either side, anywhere in a picture of that size; never the whole of it, unless
    that has a single pixel."""
    wide, high = (_part(side, smallest, generator) for side in (width, height))
    if (wide, high) == (width, height):
        wide, high = (max(1, wide - 1), high) if width >= height else (wide, max(1, high - 1))
    return Window(
        int(generator.integers(0, width - wide, endpoint=True)),
        int(generator.integers(0, height - high, endpoint=True)),
        wide,
        high,
    )


def _part(side: int, smallest: float, generator: np.random.Generator) -> int:
    return max(1, round(side * float(generator.uniform(smallest, 1.0))))


def cut_pixels(pixels: Pixels, window: Window) -> Pixels:
    return pixels[window.y : window.y + window.height, window.x : window.x + window.width]


def cut_boxes(boxes: Boxes, size: tuple[int, int], window: Window, least_visible: float) -> tuple[Boxes, Flags]:
    """The boxes that the window shows, in its own pixels, and which of the given ones they are: bool [n].

    size: width and height of the picture. A box counts when at least `least_visible` of what the picture shows of it
    is in the window: one that reaches over the picture's edge is no worse off. What is left has an area.
    """
    shown = clipped(boxes, *size)
    moved = clipped(shown - np.array([window.x, window.y, 0, 0]), window.width, window.height)
    whole, seen = areas(shown), areas(moved)
    kept = (seen > 0) & (seen >= least_visible * whole)
    return moved[kept], kept
