"""The one sentence that says whether a version is handed on, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from modelyard.stages.release.evidence import Judging
from modelyard.stages.release.judge import ADVICE, GATE, NOT_MEASURED, Judged
from modelyard.stages.release.words import Words

# Below it "smaller" is not worth a word.
_SMALLER = 1.05


@dataclass(frozen=True)
class Verdict:
    """released: gates passed, or overridden. state: released, overridden or refused."""

    sentence: str
    advice: str
    released: bool
    state: str
    failed: tuple[Judged, ...]
    gates: int


def _strengths(figures: dict[str, Judged], metric: Judging, words: Words) -> str:
    """0.852 accuracy, 4.1 ms P50, 3.9x smaller than the float model."""
    said = []
    if metric.name in figures and figures[metric.name].value is not None:
        said.append(words.of(metric, "verdict.accuracy", value=words.share(figures[metric.name].value)))
    latency = figures.get("latency_p50_ms")
    if latency is not None and latency.value is not None:
        said.append(words("verdict.latency_p50_ms", value=words.milliseconds(latency.value)))
    size = figures.get("size_ratio")
    if size is not None and size.value is not None and size.value >= _SMALLER:
        said.append(words("verdict.size_ratio", value=words.ratio(size.value)))
    return words.listed(said) or words("verdict.nothing")


def _miss(one: Judged, words: Words) -> str:
    if one.value is None:
        return words("verdict.unmeasured_gate", label=one.label, bar=one.shown_bar(words))
    return words("verdict.miss", label=one.label, value=one.shown_value(words), bar=one.shown_bar(words))


def verdict(judged: Sequence[Judged], metric: Judging, override: str | None, words: Words) -> Verdict:
    """Every gate passed: released. One failed: not released, unless somebody gave a reason to override it."""
    figures = {one.name: one for one in judged}
    gates = [one for one in judged if one.kind == GATE or one.asked]
    failed = tuple(one for one in gates if one.failed)
    strengths = _strengths(figures, metric, words)
    tally = words.tally("gates_failed", len(failed), len(gates))
    misses = words("list.semicolon").join(_miss(one, words) for one in failed)
    if not failed:
        state = "released"
        passed = words.tally("gates_passed", len(gates), len(gates)) if gates else words("verdict.no_gates")
        sentence = words("verdict.released", strengths=strengths, tally=passed)
    elif override:
        state = "overridden"
        sentence = words("verdict.overridden", strengths=strengths, tally=tally, misses=misses, reason=override)
    else:
        state = "refused"
        sentence = words("verdict.refused", misses=misses, tally=tally)
    return Verdict(sentence, _advice(judged, words), state != "refused", state, failed, len(gates))


def _advice(judged: Sequence[Judged], words: Words) -> str:
    """What stands beside the gates: advice that was missed, and what nobody measured."""
    held = [one for one in judged if one.kind == ADVICE and one.passed is not None]
    missed = [one for one in held if one.passed is False]
    unmeasured = sum(one.kind == NOT_MEASURED and not one.asked for one in judged)
    said = []
    if missed:
        named = words.listed([one.label for one in missed])
        said.append(words("verdict.advice_missed", met=len(held) - len(missed), held=len(held), named=named))
    elif held:
        said.append(words("verdict.advice_met", held=len(held)))
    if unmeasured:
        said.append(words.tally("unmeasured", unmeasured, len(judged)))
    return words("list.sentences").join(said)
