"""Histograms of gradients: what a picture's outlines are like, cell by cell.

Source: Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005, without their blocks.
"""

from __future__ import annotations

import numpy as np

from modelyard.media.pixels import Pixels
from modelyard.tasks.pipeline import Array

DIRECTIONS = 9  # unsigned directions of a gradient
LUMINANCE = (0.299, 0.587, 0.114)  # ITU-R BT.601


def grey(pixels: Pixels) -> Array:
    """uint8 [..., 3] to float32 [...], 0 to 255."""
    shades: Array = pixels.astype(np.float32) @ np.array(LUMINANCE, dtype=np.float32)
    return shades


def gradient_histograms(windows: Array, cell: int) -> Array:
    """float32 [n, (side / cell)^2 x DIRECTIONS] of windows [n, side, side]: of each cell how much gradient lies in
    which direction, the whole brought to length 1."""
    across = np.gradient(windows, axis=2)
    down = np.gradient(windows, axis=1)
    strength = np.hypot(across, down)
    direction = np.minimum((np.arctan2(down, across) % np.pi * (DIRECTIONS / np.pi)).astype(np.int64), DIRECTIONS - 1)
    count, cells = len(windows), windows.shape[1] // cell
    split = (count, cells, cell, cells, cell)
    found = np.stack(
        [(strength * (direction == each)).reshape(split).sum(axis=(2, 4)) for each in range(DIRECTIONS)], axis=-1
    ).reshape(count, -1)
    lengths = np.linalg.norm(found, axis=1, keepdims=True)
    histograms: Array = (found / np.maximum(lengths, 1e-6)).astype(np.float32)
    return histograms
