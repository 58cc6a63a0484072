"""What to do next: concrete, most important first, each with a command or with what to look at."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.stages.release.blocks import shown
from modelyard.stages.release.evidence import Evidence, bounds
from modelyard.stages.release.judge import Judged
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.verdict import Verdict
from modelyard.stages.release.words import Words

MOST = 6
_Z = 1.959964  # of a two-sided 95 % interval
_NARROW = 0.05  # half width at which the accuracy of a slice says something
_CALIBRATED = 0.05
_CONFUSED = 0.10


@dataclass(frozen=True)
class Step:
    """A sentence, a command to copy (or ""), and the section that shows why (or "")."""

    text: str
    command: str = ""
    section: str = ""


@dataclass(frozen=True)
class Commands:
    """What a person types: to serve the version, to judge it again, to release it although a gate failed."""

    serve: str
    again: str = "modelyard run"
    override: str = "modelyard run --set 'release.override=WHY'"


def rows_for(accuracy: float, half_width: float = _NARROW) -> int:
    """Rows for a 95 % interval of +- half_width around a share (normal approximation, at least 30)."""
    return max(30, math.ceil(_Z**2 * accuracy * (1 - accuracy) / half_width**2))


def next_steps(
    evidence: Evidence,
    judged: Sequence[Judged],
    verdict: Verdict,
    commands: Commands,
    words: Words,
) -> list[Step]:
    """At most MOST steps."""
    figures = {one.name: one for one in judged}
    steps = [
        *_serve_or_mend(verdict, commands, words),
        *_below_baseline(figures.get("accuracy_over_baseline"), evidence, words),
        *_undecided(figures.get(evidence.metric.name), evidence, words),
        *_weak_slices(evidence, words),
        *_imbalance(figures.get("class_imbalance"), evidence, words),
        *_confusions(evidence, words),
        *_thin_slices(evidence, words),
        *_calibration(figures.get("ece"), words),
        *_set_aside(evidence, words),
        *_unmeasured(figures.get("latency_cut"), evidence, words),
    ]
    return steps[:MOST]


def _serve_or_mend(verdict: Verdict, commands: Commands, words: Words) -> Iterator[Step]:
    if verdict.released:
        yield Step(words("next.serve"), commands.serve)
        return
    for one in verdict.failed:
        if one.value is None:
            yield Step(words("mend.unmeasured", label=one.label, how=one.how), "", "figures")
            continue
        key = f"mend.{one.name}" if words.has(f"mend.{one.name}") else "mend.other"
        section = words(f"mend_section.{one.name}") if words.has(f"mend_section.{one.name}") else "figures"
        yield Step(words(key, label=one.label, bar=one.shown_bar(words)), "", section)
    yield Step(words("next.again"), commands.again)
    yield Step(words("next.override"), commands.override)


def _below_baseline(above: Judged | None, evidence: Evidence, words: Words) -> Iterator[Step]:
    if above is None or above.value is None or above.value >= 0:
        return
    epochs = finite(evidence.mapping("train", "recipe").get("epochs"))
    command = f"modelyard run --set train.epochs={2 * epochs:.0f}" if epochs else ""
    yield Step(words("next.below_baseline", gap=words.share(-above.value)), command, "training")


def _undecided(accuracy: Judged | None, evidence: Evidence, words: Words) -> Iterator[Step]:
    """A bar within the interval of a share: more test rows would decide, and how many is known."""
    if not evidence.metric.share:
        return
    if accuracy is None or accuracy.value is None or accuracy.interval is None or not isinstance(accuracy.bar, float):
        return
    low, high = accuracy.interval
    gap = abs(accuracy.value - accuracy.bar)
    if low < accuracy.bar < high:
        have = finite(evidence.detail("evaluate", "rows_test")) or 0
        more = rows_for(accuracy.value, max(gap, 0.005)) - have
        if more > 0:
            bar, more_rows = words.written_bar(accuracy.bar, "share"), words.count(_rounded(more))
            yield Step(
                words("next.undecided", bar=bar, interval=words.interval(accuracy.interval, "share"), more=more_rows),
                "",
                "quality",
            )


def _rounded(number: float) -> float:
    """Up, to two digits: nobody collects 1,387 rows."""
    power = 10 ** max(0, math.floor(math.log10(number)) - 1) if number >= 1 else 1
    return math.ceil(number / power) * power


def weak(row: dict[str, Any], overall: float | None) -> bool:
    """Whether the whole interval of a slice lies below the metric over all rows."""
    within = bounds(row.get("interval"))
    return overall is not None and within is not None and within[1] < overall


def _weak_slices(evidence: Evidence, words: Words) -> Iterator[Step]:
    metric = evidence.metric
    overall = evidence.value("evaluate", metric.name)
    rows = [row for row in evidence.rows("evaluate", "slices") if weak(row, overall)]
    rows.sort(key=lambda row: finite(row.get(metric.name)) or 0.0)
    for row in rows[:2]:
        yield Step(
            words.of(
                metric,
                "next.weak_slice",
                column=shown(row.get("column"), 40),
                value=shown(row.get("value"), 40),
                accuracy=words.share(row.get(metric.name)),
                interval=words.interval(row.get("interval"), "share"),
                overall=words.share(overall),
            ),
            "",
            "quality",
        )


def _thin_slices(evidence: Evidence, words: Words) -> Iterator[Step]:
    """Slices of which nothing can be said yet, the one with most rows first: it is the cheapest to know."""
    if evidence.metric.name != "accuracy":
        return
    thin = []
    for row in evidence.rows("evaluate", "slices"):
        within, accuracy, rows = bounds(row.get("interval")), finite(row.get("accuracy")), finite(row.get("rows"))
        if within is None or accuracy is None or rows is None or within[1] - within[0] <= 3 * _NARROW:
            continue
        thin.append((rows, rows_for(min(accuracy, 0.9)) - rows, row))
    for _, more, row in sorted(thin, key=lambda one: -one[0])[:1]:
        if more > 0:
            column, value = shown(row.get("column"), 40), shown(row.get("value"), 40)
            yield Step(
                words("next.thin_slice", more=words.count(_rounded(more)), column=column, value=value,
                      interval=words.interval(row.get("interval"), "share")), "", "quality",
            )  # fmt: skip


def _imbalance(imbalance: Judged | None, evidence: Evidence, words: Words) -> Iterator[Step]:
    if imbalance is None or imbalance.passed is not False or not isinstance(imbalance.bar, float):
        return
    counts = {label: finite(number) for label, number in evidence.mapping("split", "class_counts").items()}
    known = {label: number for label, number in counts.items() if number is not None}
    if not known:
        return
    needed = math.ceil((1 - imbalance.bar) * max(known.values()))
    missing = {label: needed - number for label, number in known.items() if number < needed}
    named = ", ".join(
        words("next.rows_of", more=words.count(more), label=shown(label, 40))
        for label, more in sorted(missing.items(), key=lambda one: -one[1])[:3]
    )
    if named:
        yield Step(words("next.imbalance", named=named, bar=words.percent(imbalance.bar)), "", "data")


def top_confusion(evidence: Evidence) -> tuple[str, str, float, float] | None:
    """The most frequent error: true label, predicted label, rows, share of the rows of the true label."""
    confusion = evidence.mapping("evaluate", "confusion")
    labels, counts = confusion.get("labels") or [], confusion.get("counts") or []
    errors = [
        (finite(number) or 0.0, str(true), str(predicted), sum(finite(one) or 0.0 for one in row))
        for true, row in zip(labels, counts, strict=False)
        for predicted, number in zip(labels, row, strict=False)
        if true != predicted
    ]
    if not errors:
        return None
    rows, true, predicted, total = max(errors)
    return (true, predicted, rows, rows / total) if rows and total else None


def _confusions(evidence: Evidence, words: Words) -> Iterator[Step]:
    top = top_confusion(evidence)
    if top is not None and top[3] >= _CONFUSED:
        true, predicted, rows, part = top
        yield Step(
            words("next.confusion", true=shown(true, 40), predicted=shown(predicted, 40), rows=words.count(rows),
                  part=words.percent(part)), "", "quality",
        )  # fmt: skip


def _calibration(ece: Judged | None, words: Words) -> Iterator[Step]:
    if ece is not None and ece.value is not None and ece.value > _CALIBRATED:
        yield Step(words("next.calibration", ece=words.share(ece.value)), "", "quality")


def _set_aside(evidence: Evidence, words: Words) -> Iterator[Step]:
    aside = finite(evidence.detail("ingest", "set_aside_count"))
    if aside:
        yield Step(words.tally("set_aside", int(aside), int(aside)), "", "data")


def _unmeasured(cut: Judged | None, evidence: Evidence, words: Words) -> Iterator[Step]:
    if cut is not None and cut.value is None and evidence.has("evaluate"):
        yield Step(words("next.no_eager"), "", "speed")
