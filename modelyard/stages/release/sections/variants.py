"""The variants that were tried: what each costs and gives, and why it was kept, dropped or chosen."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Cell, Section, Sentence, charts, shown, table
from modelyard.stages.release.charts import Bar, Chart, bars
from modelyard.stages.release.evidence import Evidence, bounds
from modelyard.stages.release.numbers import finite, milliseconds, ratio, share, size, with_interval
from modelyard.stages.release.words import Words


def variants(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("optimize"):
        return None
    tried = evidence.variants()
    why = evidence.detail("optimize", "why")
    blocks: list[Block] = []
    if why:
        blocks.append(Sentence(shown(why, 400)))
    blocks += charts(_speed(tried, words))
    if tried:
        blocks.append(_table(tried, words))
        blocks += _fusions(tried, words)
    chosen = evidence.chosen()
    finding = words("section.not_measured")
    if chosen:
        finding = words(
            "variants.finding", name=shown(chosen.get("name"), 60), p50=milliseconds(chosen.get("p50_ms")),
            size=size(chosen.get("size_bytes")), tried=len(tried),
        )  # fmt: skip
    return Section("variants", words("section.variants"), finding, blocks)


def _state(variant: dict[str, Any], words: Words) -> Cell:
    if variant.get("chosen"):
        return Cell(words("variants.chosen"), "pass", strong=True)
    return Cell(words("variants.kept")) if variant.get("kept") else Cell(words("variants.dropped"), "warn")


def _table(tried: list[dict[str, Any]], words: Words) -> Block:
    rows = []
    for one in tried:
        rows.append(
            [
                Cell(shown(one.get("name"), 60), strong=bool(one.get("chosen"))),
                Cell(size(one.get("size_bytes"))),
                Cell(milliseconds(one.get("p50_ms"))),
                Cell(milliseconds(one.get("p99_ms"))),
                Cell(ratio(one.get("speedup"))),
                Cell(with_interval(one.get("accuracy_lost"), bounds(one.get("accuracy_lost_interval")), "share")),
                Cell(share(one.get("agreement"))),
                _state(one, words),
                Cell(shown(one.get("reason") or "", 240)),
            ]
        )
    columns = [words(f"variants.column_{name}") for name in (
        "name", "size", "p50", "p99", "speedup", "lost", "agreement", "state", "reason")]  # fmt: skip
    return table(words("variants.tried"), columns, rows, numeric=(1, 2, 3, 4, 5, 6))


def _fusions(tried: list[dict[str, Any]], words: Words) -> list[Block]:
    blocks: list[Block] = []
    for one in tried:
        fused = one.get("fusions") or one.get("passes")
        if isinstance(fused, dict) and any(finite(number) for number in fused.values()):
            named = ", ".join(f"{name} {number}" for name, number in sorted(fused.items()) if finite(number))
            blocks.append(Sentence(words("variants.fused", name=shown(one.get("name"), 60), named=named)))
    return blocks


def _speed(tried: list[dict[str, Any]], words: Words) -> Chart | None:
    measured = [(one, finite(one.get("p50_ms"))) for one in tried]
    known = [(one, p50) for one, p50 in measured if p50 is not None]
    if len(known) < 2:
        return None
    first = known[0]
    chosen = next((pair for pair in known if pair[0].get("chosen")), first)
    if chosen[0] is first[0] or not chosen[1]:
        title = words("chart.variants_float")
    else:
        title = words(
            "chart.variants", name=shown(chosen[0].get("name"), 40), p50=milliseconds(chosen[1]),
            gain=ratio(first[1] / chosen[1]), base=shown(first[0].get("name"), 40),
        )  # fmt: skip
    drawn = [
        Bar(shown(one.get("name"), 40), p50, milliseconds(p50), 0, muted=not one.get("chosen")) for one, p50 in known
    ]
    drawing = bars(drawn, title=title, axis=words("axis.p50"), written=lambda value: f"{value:g}")
    rows = tuple((one.get("name"), p50, one.get("size_bytes"), one.get("accuracy_lost")) for one, p50 in known)
    return Chart("variants", title, drawing, ("variant", "p50_ms", "size_bytes", "accuracy_lost"), rows)
