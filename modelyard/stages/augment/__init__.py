"""Augment: further rows for the train side, made from its own; what is judged stays as it came."""

from modelyard.stages.augment.augment import augment
from modelyard.stages.augment.config import AugmentConfig, Crop

STAGE_VERSION = 1

__all__ = ["STAGE_VERSION", "AugmentConfig", "Crop", "augment"]
