"""A picture with its boxes, cut to a window of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from modelyard.media.crops import cut_boxes, cut_pixels, random_window
from modelyard.media.named_boxes import Box, labelled, rectangles
from modelyard.media.pixels import Pixels, decode_image, ending_of
from modelyard.stages.augment.config import Crop

QUALITY = 95  # of what was JPEG or WebP; anything else becomes PNG, which loses nothing


@dataclass(frozen=True)
class Cropped:
    """content: of the new file. left_out: boxes of which too little is seen."""

    content: bytes
    boxes: list[Box]
    left_out: int


def crop(content: bytes, boxes: Sequence[Box], config: Crop, generator: np.random.Generator) -> Cropped:
    """One window of a picture. The file is of the kind that it was, if that is JPEG or WebP."""
    pixels = decode_image(content)
    height, width, _ = pixels.shape
    window = random_window(width, height, config.smallest, generator)
    moved, kept = cut_boxes(rectangles(boxes), (width, height), window, config.least_visible)
    labels = [box["label"] for box, there in zip(boxes, kept.tolist(), strict=True) if there]
    return Cropped(_encoded(cut_pixels(pixels, window), content), labelled(labels, moved), len(boxes) - len(labels))


def _encoded(pixels: Pixels, like: bytes) -> bytes:
    from PIL import Image

    kind = {".jpg": "JPEG", ".webp": "WEBP"}.get(ending_of(like), "PNG")
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, kind, **({} if kind == "PNG" else {"quality": QUALITY}))
    return file.getvalue()
