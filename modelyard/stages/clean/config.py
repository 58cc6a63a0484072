"""The `clean:` block of modelyard.yaml."""

from __future__ import annotations

import difflib

from pydantic import field_validator

from modelyard.config import Share, StageConfig
from modelyard.stages.clean.rules import DATASET_RULES, RULES


class CleanConfig(StageConfig):
    """rules: in the order in which they are applied; those that look at the whole dataset come last in any case."""

    rules: tuple[str, ...] = ("mojibake", "nfc", "control_characters", "whitespace", "exact_duplicates")
    max_dropped: Share = 0.20  # above it the data is not what it seems: stop and say so

    @field_validator("rules")
    @classmethod
    def _known(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        there_are = [*RULES, *DATASET_RULES]
        for name in value:
            if name not in there_are:
                close = difflib.get_close_matches(name, there_are, n=1)
                advice = f"did you mean {close[0]}" if close else f"there are {', '.join(there_are)}"
                raise ValueError(f"there is no rule {name}: {advice}")
        return value
