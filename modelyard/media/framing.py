"""A picture of any size as a square of one that it fills: what classifiers of whole pictures are given."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self

import numpy as np

from modelyard.media.pixels import MOST_PIXELS, Pixels

# Ways to scale: each side to `scaled` (proportions are lost, nothing is cut off), or the shorter side alone.
STRETCH, SHORTER = "stretch", "shorter"
# Filters as Pillow numbers them.
FILTERS = ("nearest", "lanczos", "bilinear", "bicubic", "box", "hamming")


@dataclass(frozen=True)
class Framing:
    """Scaled by `resize` to `scaled` pixels with the filter `resample`, then `image_size` pixels in each direction are
    cut out of the middle.

    Source: the image processors of transformers, which this follows pixel for pixel where they work with Pillow.
    """

    image_size: int
    resize: str = STRETCH
    scaled: int = 0  # 0: image_size
    resample: str = "bilinear"

    def __post_init__(self) -> None:
        """Raises ValueError."""
        if not self.scaled:
            object.__setattr__(self, "scaled", self.image_size)
        if self.image_size < 1:
            raise ValueError(f"image_size is {self.image_size}, less than one pixel")
        if self.scaled < self.image_size:
            raise ValueError(f"{self.image_size} pixels cannot be cut out of the {self.scaled} that are scaled to")
        if self.scaled**2 > MOST_PIXELS:
            raise ValueError(f"{self.scaled:,} pixels a side are more than any picture has that is read")
        if self.resize not in (STRETCH, SHORTER):
            raise ValueError(f"resize is {self.resize!r}, not {STRETCH} or {SHORTER}")
        if self.resample not in FILTERS:
            raise ValueError(f"resample is {self.resample!r}, not one of {', '.join(FILTERS)}")

    @classmethod
    def of_json(cls, spec: Mapping[str, Any]) -> Self:
        """What `as_json` gave. Raises KeyError, TypeError, ValueError."""
        return cls(int(spec["image_size"]), str(spec["resize"]), int(spec["scaled"]), str(spec["resample"]))

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    def frame(self, pixels: Pixels) -> Pixels:
        """uint8 [height, width, 3] to uint8 [3, image_size, image_size]. Raises ValueError for a picture that is too
        narrow to be scaled."""
        from PIL import Image

        height, width = pixels.shape[:2]
        wide, high = self._scaled(width, height)
        if (wide, high) != (width, height):
            if wide * high > MOST_PIXELS:
                raise ValueError(f"a picture of {width:,} x {height:,} pixels is too narrow to be scaled")
            kind = Image.Resampling(FILTERS.index(self.resample))
            pixels = np.asarray(Image.fromarray(pixels).resize((wide, high), kind))
        side = self.image_size
        top, left = (high - side) // 2, (wide - side) // 2
        return np.ascontiguousarray(pixels[top : top + side, left : left + side].transpose(2, 0, 1))

    def _scaled(self, width: int, height: int) -> tuple[int, int]:
        if self.resize == STRETCH:
            return self.scaled, self.scaled
        if width <= height:
            return self.scaled, int(self.scaled * height / width)
        return int(self.scaled * width / height), self.scaled
