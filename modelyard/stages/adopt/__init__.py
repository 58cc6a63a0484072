"""Adopt: a model that was made elsewhere in, a Model or Package out."""

from modelyard.stages.adopt.adopt import adopt, source_digest
from modelyard.stages.adopt.config import AdoptConfig
from modelyard.stages.adopt.look import Seen, look

STAGE_VERSION = 1

__all__ = ["STAGE_VERSION", "AdoptConfig", "Seen", "adopt", "look", "source_digest"]
