"""How good the answers are: confusions, classes, calibration, slices, and wrong answers to read."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Section, charts, shown, table
from modelyard.stages.release.charts import Bin, Chart, Dot, heat_map, interval_dots, reliability
from modelyard.stages.release.charts.canvas import shortened, text_width
from modelyard.stages.release.evidence import Evidence, bounds
from modelyard.stages.release.next_steps import top_confusion, weak
from modelyard.stages.release.numbers import count, finite, percent, share, with_interval
from modelyard.stages.release.words import Words

_LABELS = 12  # of a confusion matrix that can still be read
_SLICES = 16
_SLICE_NAME = 172.0  # drawing units


def quality(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("evaluate"):
        return None
    accuracy = evidence.figure("evaluate", "accuracy")
    finding = words("section.not_measured")
    if accuracy is not None:
        rows = count(evidence.detail("evaluate", "rows_test"))
        shown_accuracy = with_interval(accuracy.value, accuracy.interval, "share")
        finding = words("quality.finding", accuracy=shown_accuracy, rows=rows)
    blocks: list[Block] = [
        *charts(_confusion(evidence, words), _slices(evidence, words), _calibration(evidence, words)),
        *_classes(evidence, words),
        *_wrong(evidence, words),
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
        note = words("chart.confusion_cut", shown=count(_LABELS), all=count(len(labels)))
    top = top_confusion(evidence)
    title = words("chart.confusion_none")
    if top is not None:
        title = words("chart.confusion", true=shown(top[0], 40), predicted=shown(top[1], 40), part=percent(top[3]))
    drawing = heat_map(
        [labels[index] for index in kept],
        [[counts[row][column] for column in kept] for row in kept],
        title=title,
        true_axis=words("axis.true"),
        predicted_axis=words("axis.predicted"),
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
    title = words(key, gap=share(abs(gap)))
    drawing = reliability(
        bins, title=title, x_axis=words("axis.confidence"), y_axis=words("axis.right"), diagonal=words("chart.perfect")
    )
    columns = ("low", "high", "confidence", "accuracy", "count")
    data = tuple(tuple(row.get(column) for column in columns) for row in rows)
    return Chart("calibration", title, drawing, columns, data, words("chart.calibration_note"))


def _slices(evidence: Evidence, words: Words) -> Chart | None:
    overall = evidence.value("evaluate", "accuracy")
    rows = [row for row in evidence.rows("evaluate", "slices") if finite(row.get("accuracy")) is not None]
    if not rows:
        return None
    ordered = sorted(rows, key=lambda row: finite(row.get("accuracy")) or 0.0)
    below = [row for row in ordered if weak(row, overall)]
    worst = ordered[0]
    named = f"{shown(worst.get('column'), 30)} = {shown(worst.get('value'), 30)}"
    if below:
        title = words("chart.slices_weak", named=named, accuracy=share(worst.get("accuracy")), overall=share(overall))
    else:
        title = words("chart.slices_even", overall=share(overall))
    dots = [
        Dot(
            _slice_label(row),
            finite(row.get("accuracy")) or 0.0,
            bounds(row.get("interval")),
            with_interval(row.get("accuracy"), bounds(row.get("interval")), "share"),
            strong=weak(row, overall),
        )
        for row in ordered[:_SLICES]
    ]
    columns_named = ", ".join(sorted({shown(row.get("column"), 30) for row in rows}))
    drawing = interval_dots(
        dots, title=title, axis=words("axis.accuracy"), written=lambda value: f"{value:.2f}", reference=overall,
        reference_label=words("chart.overall", overall=share(overall)),
    )  # fmt: skip
    data = tuple(
        (row.get("column"), row.get("value"), row.get("rows"), row.get("accuracy"), *_low_high(row))
        for row in ordered
    )  # fmt: skip
    note = words("chart.slices_note", columns=columns_named)
    if len(ordered) > _SLICES:
        note += " " + words("chart.slices_cut", shown=count(_SLICES), all=count(len(ordered)))
    return Chart("slices", title, drawing, ("column", "value", "rows", "accuracy", "low", "high"), data, note)


def _slice_label(row: dict[str, Any]) -> str:
    """The value, shortened so that its number of rows always shows."""
    rows = f" ({count(row.get('rows'))})"
    return shortened(str(row.get("value")), _SLICE_NAME - text_width(rows)) + rows


def _low_high(row: dict[str, Any]) -> tuple[Any, Any]:
    return bounds(row.get("interval")) or ("", "")


def _classes(evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("evaluate", "per_class")
    if not rows:
        return []
    names = ("precision", "recall", "f1")
    ordered = sorted(rows, key=lambda row: finite(row.get("f1")) or 0.0)
    lines = [
        [shown(row.get("label"), 60), *(share(row.get(name)) for name in names), count(row.get("support"))]
        for row in ordered
    ]
    columns = [words("data.label"), *(words(f"quality.{name}") for name in names), words("axis.rows")]
    return [table(words("quality.classes"), columns, lines, numeric=(1, 2, 3, 4))]


def _wrong(evidence: Evidence, words: Words) -> list[Block]:
    rows = evidence.rows("evaluate", "examples_wrong")
    if not rows:
        return []
    lines = [
        [*(shown(row.get(name), most) for name, most in (("text", 280), ("label", 40), ("predicted", 40))),
         share(row.get("score"))]
        for row in rows[:12]
    ]  # fmt: skip
    columns = [words("data.text"), words("quality.true"), words("quality.predicted"), words("quality.score")]
    return [table(words("quality.wrong", shown=count(len(lines))), columns, lines, numeric=(3,))]
