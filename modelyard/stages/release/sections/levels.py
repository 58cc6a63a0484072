"""How answers that are numbers follow what was wanted, and the rows in which they do so least."""

from __future__ import annotations

from modelyard.stages.release.blocks import Block, Cell, shown, source, table
from modelyard.stages.release.charts import Chart, Dot, interval_dots
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.words import Words

_SHOWN = 12
_COLUMNS = ("low", "high", "rows", "median", "p10", "p90")


def level_chart(evidence: Evidence, words: Words) -> Chart | None:
    """The middle and the spread of the answers for each wanted value, or part of them, from low to high."""
    rows = [row for row in evidence.rows("evaluate", "levels") if finite(row.get("median")) is not None]
    if len(rows) < 2:
        return None
    dots = []
    for row in rows:
        low, high = (words.written_bar(row.get(end), "number") for end in ("low", "high"))
        label = low if low == high else f"{low}{words.style.to}{high}"
        spread = (finite(row.get("p10")) or 0.0, finite(row.get("p90")) or 0.0)
        median = finite(row.get("median")) or 0.0
        dots.append(Dot(f"{label} ({words.count(row.get('rows'))})", median, spread, words.share(median)))
    title = words(
        "chart.levels",
        low=words.written_bar(rows[0].get("low"), "number"), below=words.share(rows[0].get("median")),
        high=words.written_bar(rows[-1].get("high"), "number"), above=words.share(rows[-1].get("median")),
    )  # fmt: skip
    key = "axis.cosine" if evidence.metric.name == "spearman" else "axis.answered_number"
    drawing = interval_dots(dots, title=title, axis=words(key), written=lambda value: f"{value:.2f}")
    data = tuple(tuple(row.get(column) for column in _COLUMNS) for row in rows)
    return Chart("levels", title, drawing, _COLUMNS, data, words("chart.levels_note"))


def furthest_apart(evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("evaluate", "examples_apart")
    if not rows:
        return []
    lines: list[list[str | Cell]] = []
    for row in rows[:_SHOWN]:
        texts = row.get("texts")
        texts = [shown(text, 160) for text in texts] if isinstance(texts, list) else []
        lines.append(
            [
                " | ".join(texts),
                words.share(row.get("wanted")),
                words.share(row.get("answered")),
                Cell(source(row), short=True),
                Cell(str(row.get("row_id") or "")[:12], code=True, short=True),
            ]
        )
    columns = [words("data.text"), *(words(f"quality.{name}") for name in ("wanted", "answered", "source", "row"))]
    return [table(words("quality.apart", shown=words.count(len(lines))), columns, lines, numeric=(1, 2))]
