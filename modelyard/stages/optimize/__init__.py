"""Optimize: a Package in, the same Package with faster and smaller variants out, each measured as served."""

from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.stages.optimize.optimize import optimize

STAGE_VERSION = 2

__all__ = ["STAGE_VERSION", "OptimizeConfig", "optimize"]
