"""What any model must beat: a plain method of the field, fitted on the same rows."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Baseline:
    """Its value on the test rows, and how it was had."""

    value: float
    how: str
