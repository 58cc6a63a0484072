"""Clean: repair what can be repaired, drop what cannot, and keep the reason of each."""

from modelyard.stages.clean.clean import clean
from modelyard.stages.clean.config import CleanConfig

STAGE_VERSION = 2

__all__ = ["STAGE_VERSION", "CleanConfig", "clean"]
