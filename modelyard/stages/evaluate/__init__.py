"""Evaluate: a Package and its Dataset in, a Report of what it is worth out."""

from modelyard.stages.evaluate.config import EvaluateConfig
from modelyard.stages.evaluate.evaluate import evaluate

STAGE_VERSION = 3

__all__ = ["STAGE_VERSION", "EvaluateConfig", "evaluate"]
