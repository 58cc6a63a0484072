"""The `augment:` block of modelyard.yaml."""

from __future__ import annotations

from pydantic import Field

from modelyard.config import Share, StageConfig


class Crop(StageConfig):
    """A window of each picture, anywhere in it."""

    smallest: float = Field(0.6, gt=0.0, le=1.0)  # share of width and height that it has at least
    least_visible: Share = 0.5  # of a box: one of which the window shows less is left out


class AugmentConfig(StageConfig):
    """Off unless asked for: `copies` says how many rows are made of each row of the train side."""

    copies: int = Field(0, ge=0, le=20)
    crop: Crop = Crop()
    seed: int = 0
