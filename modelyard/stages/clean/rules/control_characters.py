"""Characters that nobody wrote and nobody sees."""

from __future__ import annotations

from modelyard.stages.clean.rules.rule import Rule

# Category Cc but tab, newline and carriage return (which is the business of `whitespace`), and byte order marks.
# Zero-width joiners stay: emoji and several scripts need them.
CONTROLS = r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\x{feff}]"

# Remove C0 and C1 controls (Unicode category Cc) and byte order marks inside a text.
CONTROL_CHARACTERS = Rule(
    "control characters",
    lambda text: text.str.contains(CONTROLS),
    lambda text: text.str.replace_all(CONTROLS, ""),
)
