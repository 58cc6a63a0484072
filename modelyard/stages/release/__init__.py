"""Release: gates, verdict, report and model card of a package."""

from modelyard.stages.release.config import ReleaseConfig
from modelyard.stages.release.gates import hold_gates
from modelyard.stages.release.next_steps import Commands
from modelyard.stages.release.stage import release

STAGE_VERSION = 2

__all__ = ["STAGE_VERSION", "Commands", "ReleaseConfig", "hold_gates", "release"]
