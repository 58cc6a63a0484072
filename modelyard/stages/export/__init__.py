"""Export: a Model in, a Package out, through the parity gate."""

from modelyard.stages.export.config import ExportConfig
from modelyard.stages.export.export import export

STAGE_VERSION = 2

__all__ = ["STAGE_VERSION", "ExportConfig", "export"]
