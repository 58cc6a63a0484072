"""The folded parts of the page, one a file; a part of which there is no evidence is left out."""

from collections.abc import Callable

from modelyard.stages.release.blocks import Section
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.sections.adopted import adopted
from modelyard.stages.release.sections.annotation import annotation
from modelyard.stages.release.sections.data import data
from modelyard.stages.release.sections.parity import parity
from modelyard.stages.release.sections.quality import quality
from modelyard.stages.release.sections.speed import speed
from modelyard.stages.release.sections.training import training
from modelyard.stages.release.sections.variants import variants
from modelyard.stages.release.words import Words

# In the order of the page.
SECTIONS: tuple[Callable[[Evidence, Words], Section | None], ...] = (
    quality,
    speed,
    variants,
    parity,
    training,
    adopted,
    annotation,
    data,
)

__all__ = ["SECTIONS"]
