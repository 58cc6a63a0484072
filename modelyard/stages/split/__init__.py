"""Split: train, validation and test, with everything that belongs together on one side, for good."""

from modelyard.stages.split.config import Shares, SplitConfig
from modelyard.stages.split.split import split

STAGE_VERSION = 2

__all__ = ["STAGE_VERSION", "Shares", "SplitConfig", "split"]
