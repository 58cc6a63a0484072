"""Holding the evidence against the rules: gates decide, advice advises, what nobody measured says so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from modelyard.stages.release.adopted import beside_the_point, named
from modelyard.stages.release.evidence import Evidence, StageGate
from modelyard.stages.release.rules import Bar, Rule, gate_rule, holds, known_name, rules_for
from modelyard.stages.release.words import Words

GATE, ADVICE, NOT_MEASURED = "gate", "advice", "not_measured"

# The promise that a stage's own gate belongs to, when no rule names the gate.
_ROW_OF_STAGE = {
    "ingest": "R1", "clean": "R3", "split": "R2", "annotate": "R6", "augment": "R8", "train": "R21", "export": "R24",
    "optimize": "R15", "evaluate": "R35",
}  # fmt: skip


@dataclass(frozen=True)
class Judged:
    """A figure with its bar. passed is None where there is no bar, or no value to hold against it.

    asked: the user made it a gate, so that a missing value is a failure, too.
    """

    row: str
    name: str
    label: str
    value: float | None
    interval: tuple[float, float] | None
    bar: Bar | None
    comparison: str
    unit: str
    how: str
    kind: str
    passed: bool | None
    deciding: bool = False
    asked: bool = False

    @property
    def failed(self) -> bool:
        """A gate that keeps the version back."""
        return self.passed is False and (self.kind == GATE or self.asked)

    def shown(self, words: Words) -> str:
        return words.with_interval(self.value, self.interval, self.unit)

    def shown_value(self, words: Words) -> str:
        return words.written(self.value, self.unit)

    def shown_interval(self, words: Words) -> str:
        return words.interval(self.interval, self.unit)

    def shown_bar(self, words: Words) -> str:
        if self.bar is None:
            return words("bar.none")
        if isinstance(self.bar, tuple):
            low, high = (words.written_bar(bound, self.unit) for bound in self.bar)
            return words("bar.within", low=low, high=high)
        return words(f"bar.{self.comparison}", bar=words.written_bar(self.bar, self.unit))

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "name": self.name,
            "value": self.value,
            "interval": list(self.interval) if self.interval else None,
            "bar": list(self.bar) if isinstance(self.bar, tuple) else self.bar,
            "comparison": self.comparison or None,
            "unit": self.unit,
            "how": self.how,
            "kind": self.kind,
            "passed": self.passed,
        }


def _absent(rule: Rule, evidence: Evidence, words: Words) -> str:
    """Why a figure was not measured."""
    said = next((why for stage in rule.stages if (why := evidence.why_not(stage, rule.name))), "")
    if said:
        return words.said(said)
    missing = [stage for stage in rule.stages if not evidence.has(stage)]
    if words.has(f"absent.{rule.name}") and not any(stage in _ROW_OF_STAGE for stage in missing if stage != "annotate"):
        return words(f"absent.{rule.name}")
    return words("absent.stage", stage=missing[0]) if missing else words("absent.figure", stage=rule.stages[-1])


def _how(rule: Rule, how: str, evidence: Evidence, words: Words) -> str:
    said = words.said(how) or words("how.stage", stage=rule.stages[-1])
    if rule.bar is not None and not rule.bar_holds(evidence):
        return f"{said}; {words(f'bar_waived.{rule.name}')}"
    return said


def _apply(rule: Rule, evidence: Evidence, held: StageGate | None, asked: float | None, words: Words) -> Judged:
    measured = rule.read(evidence, words)
    bar: Bar | None = rule.bar if rule.bar_holds(evidence) else None
    comparison = rule.comparison
    if held is not None:
        bar, comparison = held.bar, held.comparison
    if asked is not None:
        bar, comparison = asked, rule.comparison
    gate = rule.gate or held is not None or asked is not None
    label = words.of(rule.metric, f"figure.{rule.label or rule.name}")
    if measured is None:
        # A gate that the user asked for and nobody measured cannot be taken as passed.
        return Judged(
            rule.row, rule.name, label, None, None, bar, comparison, rule.unit, _absent(rule, evidence, words),
            NOT_MEASURED, False if asked is not None else None, rule.deciding or gate, asked is not None,
        )  # fmt: skip
    value = measured.value
    passed = None if bar is None else holds(value, comparison, bar)
    if held is not None and asked is None and held.value == value:
        passed = held.passed
    return Judged(
        rule.row, rule.name, label, value, measured.interval, bar, comparison, rule.unit,
        _how(rule, measured.how, evidence, words), GATE if gate else ADVICE, passed, rule.deciding or gate,
        asked is not None,
    )  # fmt: skip


def judge(evidence: Evidence, gates: Mapping[str, float], words: Words) -> list[Judged]:
    """Every figure that applies, then every further gate that a stage held; gates first, then what decides."""
    gates = {known_name(name, evidence.metric): bar for name, bar in gates.items()}
    held: dict[str, StageGate] = {}
    for gate in evidence.gates():
        name = known_name(gate.name)
        # Of two stages that hold the same gate the one that failed counts, else the later one.
        if name not in held or held[name].passed:
            held[name] = gate
    judged = []
    rules = rules_for(evidence)
    for rule in rules:
        one = _apply(named(rule, evidence), evidence, held.pop(rule.name, None), gates.get(rule.name), words)
        if one.kind != NOT_MEASURED or one.asked or not beside_the_point(rule, evidence):
            judged.append(one)
    # Asked of a metric that this package is not judged by.
    for name in sorted(gates.keys() - {rule.name for rule in rules}):
        judged.append(_apply(gate_rule(name), evidence, None, gates[name], words))
    for name, gate in held.items():
        row = _ROW_OF_STAGE.get(gate.stage, "R35")
        key, measured = f"figure.{name}", evidence.figure(gate.stage, name)
        label = words(key) if words.has(key) else words.said(re.sub(r"[_\s]+", " ", name).strip().capitalize() or name)
        how = (measured and words.said(measured.how)) or words("how.stage", stage=gate.stage)
        judged.append(
            Judged(
                row, name, label, gate.value, None, gate.bar, gate.comparison, "number", how, GATE, gate.passed, True
            )
        )  # fmt: skip
    return sorted(judged, key=lambda one: (not (one.kind == GATE or one.asked), not one.deciding))
