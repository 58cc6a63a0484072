"""The `release:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, field_validator

from modelyard.config import StageConfig
from modelyard.stages.release.rules import gate_rule


class ReleaseConfig(StageConfig):
    """What must hold before a version is handed on, and what the model card says.

    gates: a figure and its bar, {accuracy: 0.80, p99_ms: 200}; whether it must be at least or at most that is known.
    alias: the name that points at the version once it is released, as in `modelyard serve NAME@champion`.
    language: of report.html, report.json and the card; the page in the other language is written beside it.
    override: why a version is released although a gate failed; it stands in the report.
    """

    gates: dict[str, float] = Field(default_factory=dict)
    override: str | None = None
    alias: str = Field("champion", pattern=r"^[A-Za-z][A-Za-z0-9._-]{0,79}$")
    license: str = "unknown"
    description: str = ""
    language: Literal["en", "zh"] = "en"

    @field_validator("gates")
    @classmethod
    def _known(cls, gates: dict[str, float]) -> dict[str, float]:
        """Names as the report uses them (`p99_ms` is `latency_p99_ms`)."""
        named: dict[str, float] = {}
        for name, bar in gates.items():
            figure = gate_rule(name).name
            if figure in named:
                raise ValueError(f"the figure {figure} is given two bars; keep one of them")
            named[figure] = bar
        return named

    @field_validator("override")
    @classmethod
    def _reasoned(cls, override: str | None) -> str | None:
        if override is not None and not override.strip():
            raise ValueError("an override needs its reason, in words")
        return override
