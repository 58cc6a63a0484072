"""How good the answers are: confusions, classes, calibration, slices, and wrong answers to read."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Cell, Section, Sentence, charts, shown, source, table
from modelyard.stages.release.charts import Bin, Chart, Dot, heat_map, interval_dots, reliability
from modelyard.stages.release.charts.canvas import shortened, text_width
from modelyard.stages.release.evidence import Evidence, bounds
from modelyard.stages.release.next_steps import top_confusion, weak
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.sections.levels import furthest_apart, level_chart
from modelyard.stages.release.words import Words

_LABELS = 12  # of a confusion matrix that can still be read
_SLICES = 16
_SLICES_LISTED = 60
_SLICE_NAME = 172.0  # drawing units


def quality(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("evaluate"):
        return None
    metric = evidence.metric
    measured = evidence.figure("evaluate", metric.name)
    finding = words("section.not_measured")
    if measured is not None:
        rows = words.count(evidence.detail("evaluate", "rows_test"))
        value = words.with_interval(measured.value, measured.interval, "share")
        finding = words.of(metric, "quality.finding", accuracy=value, rows=rows)
    blocks: list[Block] = [
        *charts(
            _confusion(evidence, words),
            level_chart(evidence, words),
            _slices(evidence, words),
            _calibration(evidence, words),
        ),
        *_classes(evidence, words),
        *_slice_table(evidence, words),
        *_wrong(evidence, words),
        *furthest_apart(evidence, words),
    ]
    return Section("quality", words("section.quality"), finding, blocks)


def _confusion(evidence: Evidence, words: Words) -> Chart | None:
    confusion = evidence.mapping("evaluate", "confusion")
    labels = [str(label) for label in confusion.get("labels") or []]
    counts = [[finite(number) or 0.0 for number in row] for row in confusion.get("counts") or []]
    if len(labels) < 2 or len(counts) != len(labels) or any(len(row) != len(labels) for row in counts):
        return None
    kept, note = list(range(len(labels))), ""
    if len(labels) > _LABELS:
        errors = [sum(row) - row[index] for index, row in enumerate(counts)]
        kept = sorted(sorted(kept, key=lambda index: -errors[index])[:_LABELS])
        note = words("chart.confusion_cut", shown=words.count(_LABELS), all=words.count(len(labels)))
    top = top_confusion(evidence)
    title = words("chart.confusion_none")
    if top is not None:
        title = words(
            "chart.confusion", true=shown(top[0], 40), predicted=shown(top[1], 40), part=words.percent(top[3])
        )
    drawing = heat_map(
        [labels[index] for index in kept],
        [[counts[row][column] for column in kept] for row in kept],
        title=title,
        true_axis=words("axis.true"),
        predicted_axis=words("axis.predicted"),
        numbers=words,
    )
    rows = tuple((true, predicted, counts[i][j]) for i, true in enumerate(labels) for j, predicted in enumerate(labels))
    return Chart("confusion", title, drawing, ("true", "predicted", "rows"), rows, note)


def _calibration(evidence: Evidence, words: Words) -> Chart | None:
    given = evidence.mapping("evaluate", "calibration").get("bins")
    rows = [row for row in given if isinstance(row, dict)] if isinstance(given, list) else []
    bins = []
    for row in rows:
        confidence, accuracy, number = (finite(row.get(key)) for key in ("confidence", "accuracy", "count"))
        if confidence is not None and accuracy is not None and number:
            bins.append(Bin(confidence, accuracy, number))
    if not bins:
        return None
    total = sum(one.count for one in bins)
    gap = sum((one.confidence - one.accuracy) * one.count for one in bins) / total
    key = "chart.calibrated" if abs(gap) < 0.02 else ("chart.over" if gap > 0 else "chart.under")
    title = words(key, gap=words.share(abs(gap)))
    drawing = reliability(
        bins,
        title=title,
        x_axis=words("axis.confidence"),
        y_axis=words("axis.right"),
        diagonal=words("chart.perfect"),
        numbers=words,
    )
    columns = ("low", "high", "confidence", "accuracy", "count")
    data = tuple(tuple(row.get(column) for column in columns) for row in rows)
    return Chart("calibration", title, drawing, columns, data, words("chart.calibration_note"))


def _slices(evidence: Evidence, words: Words) -> Chart | None:
    metric = evidence.metric
    name = metric.name
    overall = evidence.value("evaluate", name)
    rows = [row for row in evidence.rows("evaluate", "slices") if finite(row.get(name)) is not None]
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: finite(row.get(name)) or 0.0)
    below = [row for row in ordered if weak(row, overall)]
    worst = ordered[0]
    named = f"{words.said(shown(worst.get('column'), 30))} = {shown(worst.get('value'), 30)}"
    if below:
        title = words(
            "chart.slices_weak", named=named, accuracy=words.share(worst.get(name)), overall=words.share(overall)
        )
    else:
        title = words.of(metric, "chart.slices_even", overall=words.share(overall))
    dots = [
        Dot(
            _slice_label(row, words),
            finite(row.get(name)) or 0.0,
            bounds(row.get("interval")),
            words.with_interval(row.get(name), bounds(row.get("interval")), "share"),
            strong=weak(row, overall),
        )
        for row in ordered[:_SLICES]
    ]
    columns_named = words.listed(sorted({words.said(shown(row.get("column"), 30)) for row in rows}))
    drawing = interval_dots(
        dots, title=title, axis=words.of(metric, "axis.accuracy"), written=lambda value: f"{value:.2f}",
        reference=overall, reference_label=words("chart.overall", overall=words.share(overall)),
    )  # fmt: skip
    data = tuple(
        (row.get("column"), row.get("value"), row.get("rows"), row.get(name), *_low_high(row))
        for row in ordered
    )  # fmt: skip
    note = words("chart.slices_note", columns=columns_named)
    if len(ordered) > _SLICES:
        note += " " + words("chart.slices_cut", shown=words.count(_SLICES), all=words.count(len(ordered)))
    return Chart("slices", title, drawing, ("column", "value", "rows", name, "low", "high"), data, note)


def _slice_label(row: dict[str, Any], words: Words) -> str:
    """The value, shortened so that its number of rows always shows."""
    rows = f" ({words.count(row.get('rows'))})"
    return shortened(str(row.get("value")), _SLICE_NAME - text_width(rows)) + rows


def _slice_table(evidence: Evidence, words: Words) -> list[Block]:
    """Every slice, and what was left out and why."""
    rows = evidence.rows("evaluate", "slices")
    blocks: list[Block] = []
    if rows:
        lines = [
            [
                words.said(shown(row.get("column"), 40)),
                shown(row.get("value"), 60),
                words.count(row.get("rows")),
                words.with_interval(row.get(evidence.metric.name), bounds(row.get("interval")), "share"),
            ]
            for row in rows[:_SLICES_LISTED]
        ]
        columns = [words("quality.column"), words("quality.slice"), words("axis.rows")]
        columns.append(words.of(evidence.metric, "quality.accuracy"))
        named = words.listed(list(dict.fromkeys(words.said(shown(row.get("column"), 40)) for row in rows)))
        note = words("list.sentences").join(_left_out(evidence, words))
        blocks.append(
            table(words.of(evidence.metric, "quality.slices", columns=named), columns, lines, numeric=(2, 3), note=note)
        )
    else:
        blocks += [Sentence(said) for said in _left_out(evidence, words)]
    return blocks


def _left_out(evidence: Evidence, words: Words) -> list[str]:
    """A sentence a column."""
    said = []
    small: dict[str, list[str]] = {}
    for row in evidence.rows("evaluate", "slices_left_out"):
        column = words.said(shown(row.get("column"), 40))
        if row.get("values") is not None:
            said.append(words("quality.not_cut", column=column, values=words.count(row["values"])))
        else:
            value, rows = shown(row.get("value"), 40), words.count(row.get("rows"))
            small.setdefault(column, []).append(words("quality.left_out_value", value=value, rows=rows))
    least = words.count(evidence.detail("evaluate", "slice_rows"))
    return said + [
        words("quality.left_out", column=column, named=words.listed(values[:12]), least=least)
        for column, values in small.items()
    ]


def _low_high(row: dict[str, Any]) -> tuple[Any, Any]:
    return bounds(row.get("interval")) or ("", "")


def _classes(evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("evaluate", "per_class")
    if not rows:
        return []
    names = ("precision", "recall", "f1")
    ordered = sorted(rows, key=lambda row: finite(row.get("f1")) or 0.0)
    lines = [
        [shown(row.get("label"), 60), *(words.share(row.get(name)) for name in names), words.count(row.get("support"))]
        for row in ordered
    ]
    columns = [words("data.label"), *(words(f"quality.{name}") for name in names), words("axis.rows")]
    return [table(words("quality.classes"), columns, lines, numeric=(1, 2, 3, 4))]


def _wrong(evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("evaluate", "examples_wrong")
    if not rows:
        return []
    lines: list[list[str | Cell]] = [
        [
            Cell(shown(row.get("text"), 280) or shown(row.get("label"), 40), picture=str(row.get("picture") or "")),
            *(shown(row.get(name), 40) for name in ("label", "predicted")),
            words.share(row.get("score")),
            Cell(source(row), short=True),
            Cell(str(row.get("row_id") or "")[:12], code=True, short=True),
        ]
        for row in rows[:12]
    ]
    columns = [
        words("quality.picture" if rows[0].get("picture") else "data.text"),
        *(words(f"quality.{name}") for name in ("true", "predicted", "score", "source", "row")),
    ]
    return [table(words("quality.wrong", shown=words.count(len(lines))), columns, lines, numeric=(3,))]
