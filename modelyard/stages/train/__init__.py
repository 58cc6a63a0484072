"""Train: a Dataset with a split and a base model in, a Model out."""

from modelyard.stages.train.config import TrainConfig
from modelyard.stages.train.train import train

STAGE_VERSION = 1

__all__ = ["STAGE_VERSION", "TrainConfig", "train"]
