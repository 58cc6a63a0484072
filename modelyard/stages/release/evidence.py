"""Reading the reports of the stages: any of them, and anything in them, may be missing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.stages.release.numbers import finite
from modelyard.store import Report


@dataclass(frozen=True)
class Measured:
    """A figure that a stage recorded."""

    value: float
    how: str = ""
    interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class StageGate:
    """A gate that a stage held: its figure, its bar, and on which side it lay."""

    stage: str
    name: str
    value: float
    bar: float
    comparison: str
    passed: bool


@dataclass(frozen=True)
class Judging:
    """The metric that the package is judged by: its name in the figures, and whether it is a share of rows."""

    name: str = "accuracy"
    share: bool = True

    @property
    def lost_unit(self) -> str:
        """Of what is lost of it: a key of numbers.FORMATS."""
        return "points" if self.share else "share"


def bounds(value: Any) -> tuple[float, float] | None:
    """Two finite numbers, low and high, or None."""
    if not isinstance(value, (list, tuple)) or len(value) != 2:
        return None
    low, high = finite(value[0]), finite(value[1])
    return None if low is None or high is None else (low, high)


class Evidence:
    """The content of each stage's Report by the stage's name."""

    def __init__(self, reports: Mapping[str, Report]) -> None:
        self.reports = dict(reports)
        self.content: dict[str, dict[str, Any]] = {stage: report.info for stage, report in reports.items()}

    def has(self, stage: str) -> bool:
        return stage in self.content

    @property
    def metric(self) -> Judging:
        """What the stages judged the package by; accuracy where none of them says."""
        for stage in ("evaluate", "optimize", "export"):
            said = self.mapping(stage, "metric")
            if said.get("name"):
                return Judging(str(said["name"]), bool(said.get("share")))
        return Judging()

    @property
    def labels(self) -> bool:
        """Whether the answers are labels: only of these there are classes, confusions and a calibration."""
        return self.metric.name == "accuracy" or bool(self.rows("evaluate", "per_class"))

    def figure(self, stage: str, name: str) -> Measured | None:
        """None for a figure that was not recorded or is no finite number."""
        recorded = self._part(stage, "figures").get(name)
        if not isinstance(recorded, dict):
            return None
        value = finite(recorded.get("value"))
        if value is None:
            return None
        return Measured(value, str(recorded.get("how") or ""), bounds(recorded.get("interval")))

    def why_not(self, stage: str, name: str) -> str:
        """What a stage said about a figure that it could not measure; empty when it said nothing."""
        recorded = self._part(stage, "figures").get(name)
        if not isinstance(recorded, dict) or finite(recorded.get("value")) is not None:
            return ""
        return str(recorded.get("how") or "").removeprefix("not measured: ")

    def value(self, stage: str, name: str) -> float | None:
        measured = self.figure(stage, name)
        return None if measured is None else measured.value

    def mapping(self, stage: str, name: str) -> dict[str, Any]:
        """A detail that is a mapping; empty when there is none."""
        found = self._part(stage, "details").get(name)
        return found if isinstance(found, dict) else {}

    def rows(self, stage: str, name: str) -> list[dict[str, Any]]:
        """A detail that is a list of mappings; empty when there is none."""
        found = self._part(stage, "details").get(name)
        return [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []

    def detail(self, stage: str, name: str) -> Any:
        return self._part(stage, "details").get(name)

    def gates(self) -> list[StageGate]:
        """Every gate that a stage held, in the order of the stages."""
        found = []
        for stage, content in self.content.items():
            for gate in content.get("gates") or []:
                value, bar = finite(gate.get("value")), finite(gate.get("bar"))
                if value is not None and bar is not None:
                    found.append(
                        StageGate(stage, str(gate["name"]), value, bar, str(gate["comparison"]), bool(gate["passed"]))
                    )
        return found

    def warnings(self) -> list[tuple[str, str]]:
        """(stage, what it warned of), in the order of the stages, each once."""
        said = []
        for stage in self.content:
            warnings = self.detail(stage, "warnings")
            said += [(stage, str(one)) for one in warnings] if isinstance(warnings, list) else []
        return list(dict.fromkeys(said))

    def environment(self, stage: str) -> dict[str, Any]:
        return self._part(stage, "environment")

    def served(self, what: str, concurrency: int) -> dict[str, Any]:
        """The load measurement of `served`, `eager` or `float` at a concurrency; empty when there is none."""
        by_concurrency = self.mapping("evaluate", "latency").get(what)
        found = by_concurrency.get(str(concurrency)) if isinstance(by_concurrency, dict) else None
        return found if isinstance(found, dict) else {}

    def variants(self) -> list[dict[str, Any]]:
        """The variants that optimize measured; the first is the plain float graph."""
        return self.rows("optimize", "variants")

    def chosen(self) -> dict[str, Any]:
        """The variant that optimize chose; empty when there is none."""
        return next((variant for variant in self.variants() if variant.get("chosen")), {})

    def _part(self, stage: str, part: str) -> dict[str, Any]:
        found = self.content.get(stage, {}).get(part)
        return found if isinstance(found, dict) else {}
