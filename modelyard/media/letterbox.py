"""A picture of any size in a square of one: scaled to fit, its proportions kept, the rest filled."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelyard.media.pixels import Pixels

FILL = 114  # the grey that detectors are used to seeing beside a picture

# float32 [4]: how much the picture was scaled along x and y, its width and height in pixels.
Frame = np.ndarray[Any, np.dtype[np.float32]]


def letterbox(pixels: Pixels, side: int) -> tuple[Pixels, Frame]:
    """uint8 [height, width, 3] as uint8 [3, side, side], the picture in the top left corner, and the way back."""
    from PIL import Image

    height, width = pixels.shape[:2]
    scale = side / max(height, width)
    new_width, new_height = max(1, round(width * scale)), max(1, round(height * scale))
    square = np.full((side, side, 3), FILL, dtype=np.uint8)
    if (new_width, new_height) == (width, height):
        square[:height, :width] = pixels
    else:
        resized = Image.fromarray(pixels).resize((new_width, new_height), Image.Resampling.BILINEAR)
        square[:new_height, :new_width] = np.asarray(resized)
    frame = np.array([new_width / width, new_height / height, width, height], dtype=np.float32)
    return np.ascontiguousarray(square.transpose(2, 0, 1)), frame
