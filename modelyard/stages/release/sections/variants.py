"""The variants that were tried: what each costs and gives, and why it was kept, dropped or chosen."""

from __future__ import annotations

import math
from typing import Any

from modelyard.stages.release.blocks import Block, Cell, Section, Sentence, charts, shown, table
from modelyard.stages.release.charts import Bar, Chart, bars
from modelyard.stages.release.evidence import Evidence, Judging, bounds
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.words import Words


def variants(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("optimize"):
        return None
    tried = evidence.variants()
    metric = evidence.metric
    blocks: list[Block] = [*_why(evidence, words), *charts(_speed(tried, metric, words))]
    if tried:
        blocks.append(_table(tried, metric, words))
        blocks += _fusions(tried, words)
    chosen = evidence.chosen()
    finding = words("section.not_measured")
    if chosen:
        finding = words(
            "variants.finding", name=shown(chosen.get("name"), 60), p50=words.milliseconds(chosen.get("p50_ms")),
            size=words.size(chosen.get("size_bytes")), tried=len(tried),
        )  # fmt: skip
    return Section("variants", words("section.variants"), finding, blocks)


def _why(evidence: Evidence, words: Words) -> list[Block]:
    """The choice in a sentence; why each other variant went stands in the table."""
    chosen, tried = evidence.chosen(), evidence.variants()
    if not chosen:
        return []
    reference = evidence.detail("optimize", "reference") or "float"
    if chosen is tried[0]:
        key = "variants.why_float" if reference == "float" else "variants.why_reference"
        return [Sentence(words(key, name=shown(reference, 60)))]
    smaller = (finite(tried[0].get("size_bytes")) or 0.0) / (finite(chosen.get("size_bytes")) or math.inf)
    gain, name = words.ratio(chosen.get("speedup")), shown(chosen.get("name"), 60)
    if reference != "float":
        return [Sentence(words("variants.why_faster", name=name, gain=gain, reference=shown(reference, 60)))]
    return [Sentence(words("variants.why", name=name, gain=gain, size=words.ratio(smaller)))]


def _state(variant: dict[str, Any], words: Words) -> Cell:
    if variant.get("chosen"):
        return Cell(words("variants.chosen"), "pass", strong=True, short=True)
    if variant.get("kept"):
        return Cell(words("variants.kept"), short=True)
    return Cell(words("variants.dropped"), "warn", short=True)


def _table(tried: list[dict[str, Any]], metric: Judging, words: Words) -> Block:
    lost = f"{metric.name}_lost"
    rows = []
    for one in tried:
        rows.append(
            [
                Cell(shown(one.get("name"), 60), strong=bool(one.get("chosen"))),
                Cell(words.size(one.get("size_bytes"))),
                Cell(words.milliseconds(one.get("p50_ms"))),
                Cell(words.milliseconds(one.get("p99_ms"))),
                Cell(words.with_interval(one.get("speedup"), bounds(one.get("speedup_interval")), "ratio")),
                Cell(words.with_interval(one.get(lost), bounds(one.get(f"{lost}_interval")), metric.lost_unit)),
                Cell(words.percent(one.get("agreement"))),
                _state(one, words),
                Cell(words.said(shown(one.get("reason") or "", 240).removeprefix("dropped: "))),
            ]
        )
    columns = [words.of(metric, f"variants.column_{name}") for name in (
        "name", "size", "p50", "p99", "speedup", "lost", "agreement", "state", "reason")]  # fmt: skip
    requests = next((served.get("requests") for one in tried if (served := _one_at_a_time(one))), None)
    note = words.of(metric, "variants.note", requests=words.count(requests)) if requests else ""
    return table(words("variants.tried"), columns, rows, numeric=(1, 2, 3, 4, 5, 6), note=note)


def _one_at_a_time(variant: dict[str, Any]) -> dict[str, Any]:
    served = variant.get("served")
    load = served.get("1") if isinstance(served, dict) else None
    return load if isinstance(load, dict) else {}


def _fusions(tried: list[dict[str, Any]], words: Words) -> list[Block]:
    blocks: list[Block] = []
    for one in tried:
        fused = one.get("fusions") or one.get("passes")
        if isinstance(fused, dict) and any(finite(number) for number in fused.values()):
            named = ", ".join(f"{name} {number}" for name, number in sorted(fused.items()) if finite(number))
            blocks.append(Sentence(words("variants.fused", name=shown(one.get("name"), 60), named=named)))
    return blocks


def _speed(tried: list[dict[str, Any]], metric: Judging, words: Words) -> Chart | None:
    measured = [(one, finite(one.get("p50_ms"))) for one in tried]
    known = [(one, p50) for one, p50 in measured if p50 is not None]
    if len(known) < 2:
        return None
    first = known[0]
    chosen = next((pair for pair in known if pair[0].get("chosen")), first)
    if chosen[0] is first[0] or not chosen[1]:
        title = words.of(metric, "chart.variants_float", base=shown(first[0].get("name"), 40))
    else:
        title = words(
            "chart.variants", name=shown(chosen[0].get("name"), 40), p50=words.milliseconds(chosen[1]),
            gain=words.ratio(first[1] / chosen[1]), base=shown(first[0].get("name"), 40),
        )  # fmt: skip
    drawn = [
        Bar(shown(one.get("name"), 40), p50, words.milliseconds(p50), 0, muted=not one.get("chosen"))
        for one, p50 in known
    ]
    drawing = bars(drawn, title=title, axis=words("axis.p50"), written=lambda value: f"{value:g}")
    lost = f"{metric.name}_lost"
    rows = tuple((one.get("name"), p50, one.get("size_bytes"), one.get(lost)) for one, p50 in known)
    return Chart("variants", title, drawing, ("variant", "p50_ms", "size_bytes", lost), rows)
