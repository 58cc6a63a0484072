"""Annotate: the labels that people gave, as a layer, once the figures of R6 hold."""

from modelyard.annotate.config import AnnotateConfig
from modelyard.stages.annotate.annotate import annotate
from modelyard.stages.annotate.labels import Labels

STAGE_VERSION = 1

__all__ = ["STAGE_VERSION", "AnnotateConfig", "Labels", "annotate"]
