"""Every figure with its promise, bar and result, as report.json has them; and beside earlier versions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from modelyard.stages.release.blocks import Cell, Section, table
from modelyard.stages.release.evidence import Judging
from modelyard.stages.release.judge import Judged
from modelyard.stages.release.page import result
from modelyard.stages.release.words import Words

_COMPARED = (
    "macro_f1", "latency_p50_ms", "latency_p99_ms", "throughput_rps", "size_bytes", "class_imbalance",
)  # fmt: skip


def figures(judged: Sequence[Judged], words: Words) -> Section:
    rows: list[list[str | Cell]] = []
    for one in judged:
        word, tone = result(one, words)
        rows.append(
            [
                one.row,
                Cell(one.label, strong=one.kind == "gate"),
                one.shown(words),
                Cell(one.shown_bar(words), short=True),
                Cell(word, tone, short=True),
                Cell(words(f"kind.{one.kind}"), short=True),
                one.how,
            ]
        )
    columns = [words(f"page.{name}") for name in ("row", "figure", "measured", "bar", "result", "kind", "how")]
    held = sum(one.value is not None and one.bar is not None for one in judged)
    missing = sum(one.value is None for one in judged)
    information = len(judged) - held - missing
    finding = words("figures.finding", held=held, information=information, missing=missing)
    return Section("figures", words("section.figures"), finding, [table("", columns, rows, numeric=(2,))])


def history(
    earlier: Sequence[dict[str, Any]], judged: Sequence[Judged], metric: Judging, words: Words
) -> Section | None:
    """A line a version, this one last; `earlier` are the contents of their report.json, oldest first."""
    if not earlier:
        return None
    now = {one.name: one for one in judged}
    names = [name for name in (metric.name, *_COMPARED) if name in now and now[name].value is not None]
    rows: list[list[str | Cell]] = []
    for report in earlier[-8:]:
        before = {one.get("name"): one.get("value") for one in report.get("figures", [])}
        version = report.get("version")
        state = words("history.released" if report.get("released") else "history.refused")
        label = words("history.version", version=version) if version is not None else str(report.get("name"))
        rows.append([label, *(words.written(before.get(name), now[name].unit) for name in names), state])
    line = [Cell(words.written(now[name].value, now[name].unit), strong=True) for name in names]
    rows.append([Cell(words("history.this"), strong=True), *line, ""])
    columns = [words("history.column"), *(now[name].label for name in names), words("page.result")]
    first = rows[0][0]
    finding = words("history.finding", earlier=first if len(rows) == 2 else f"{first} ... {rows[-2][0]}")
    block = table(words("history.table"), columns, rows, numeric=range(1, len(names) + 1))
    return Section("history", words("section.history"), finding, [block])
