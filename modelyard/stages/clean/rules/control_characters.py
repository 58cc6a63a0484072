"""Characters that nobody wrote and nobody sees."""

from __future__ import annotations

from modelyard.stages.clean.batch import TextBatch

# Category Cc but tab, newline and carriage return (which is the business of `whitespace`), and byte order marks.
# Zero-width joiners stay: emoji and several scripts need them.
CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{feff}]"


def control_characters(batch: TextBatch) -> TextBatch:
    """Remove C0 and C1 controls (Unicode category Cc) and byte order marks inside a text."""
    return batch.repair(batch.text.str.replace_all(CONTROLS, ""), "control characters")
