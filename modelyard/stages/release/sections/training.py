"""How the model was trained: loss, validation, learning rate, recipe."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Cell, Facts, Section, charts, shown, table
from modelyard.stages.release.charts import Chart, Series, lines
from modelyard.stages.release.evidence import Evidence, Judging
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.words import Words

_WINDOW = 10  # points that a point of the smoothed loss is the mean of
_COLUMNS = ("epoch", "train_loss", "validation_loss", "accuracy", "macro_f1")


def training(evidence: Evidence, words: Words) -> Section | None:
    if not evidence.has("train"):
        return None
    blocks: list[Block] = [
        *charts(_loss(evidence, words), _rate(evidence, words)),
        *_epochs(evidence, words),
        *_recipe(evidence, words),
    ]
    return Section("training", words("section.training"), _finding(evidence, words), blocks)


def _finding(evidence: Evidence, words: Words) -> str:
    said = []
    metric = Judging(str(evidence.detail("train", "main_metric") or "accuracy"))
    value, best = evidence.value("train", f"validation_{metric.name}"), evidence.value("train", "best_epoch")
    if value is not None:
        said.append(words.of(metric, "training.accuracy", accuracy=words.share(value)))
    if best is not None:
        said.append(words("training.best_epoch", epoch=words.count(best)))
    seconds = evidence.value("train", "train_seconds")
    if seconds is not None:
        said.append(words.duration(seconds))
    return words.listed(said) or words("section.not_measured")


def _points(rows: list[dict[str, Any]], x: str, y: str) -> list[tuple[float, float]]:
    pairs = [(finite(row.get(x)), finite(row.get(y))) for row in rows]
    return [(a, b) for a, b in pairs if a is not None and b is not None]


def smoothed(points: list[tuple[float, float]], window: int = _WINDOW) -> list[tuple[float, float]]:
    """Each value as the mean of itself and those before it, at most `window`."""
    return [
        (x, sum(value for _, value in points[max(0, index - window + 1) : index + 1]) / min(index + 1, window))
        for index, (x, _) in enumerate(points)
    ]


def _loss(evidence: Evidence, words: Words) -> Chart | None:
    history, epochs = evidence.rows("train", "history"), evidence.rows("train", "epochs")
    steps = _points(history, "step", "loss")
    if len(steps) < 2:
        return None
    window = min(_WINDOW, max(1, len(steps) // 10))
    mean = smoothed(steps, window)
    last_of_epoch: dict[float, float] = {}
    for row in history:
        epoch, step = finite(row.get("epoch")), finite(row.get("step"))
        if epoch is not None and step is not None:
            last_of_epoch[epoch] = max(step, last_of_epoch.get(epoch, 0.0))
    # `epoch` of history may count from 0 or from 1, those of `epochs` are in the same order.
    ends = [last_of_epoch[epoch] for epoch in sorted(last_of_epoch)]
    losses = [value for _, value in _points(epochs, "epoch", "validation_loss")]
    validated = list(zip(ends, losses, strict=False)) if len(ends) == len(losses) else []
    series = [Series(words("training.train_loss"), tuple(mean), 0)]
    if validated:
        series.append(Series(words("training.validation_loss"), tuple(validated), 1, dots=True))
    title = words(
        "chart.loss",
        first=words.significant(mean[0][1]),
        last=words.significant(mean[-1][1]),
        steps=words.count(steps[-1][0]),
    )
    if len(validated) > 1 and validated[-1][1] > min(value for _, value in validated):
        title = words("chart.loss_overfit", title=title)
    drawing = lines(
        series, title=title, x_axis=words("axis.step"), y_axis=words("axis.loss"), x_written=words.count,
        y_written=lambda value: f"{value:g}", from_zero=True,
    )  # fmt: skip
    rows = tuple(
        (row.get("step"), row.get("epoch"), row.get("loss"), value, row.get("lr"))
        for row, (_, value) in zip(history, mean, strict=False)
    )
    note = words("chart.loss_note", window=words.count(window)) if window > 1 else ""
    return Chart("learning_curve", title, drawing, ("step", "epoch", "loss", "mean_loss", "lr"), rows, note)


def _rate(evidence: Evidence, words: Words) -> Chart | None:
    points = _points(evidence.rows("train", "history"), "step", "lr")
    if len(points) < 2:
        return None
    peak_step, peak = max(points, key=lambda point: point[1])
    last = points[-1][1] if points[-1][1] > peak / 100 else 0
    title = words(
        "chart.rate", peak=words.significant(peak), step=words.count(peak_step), last=words.significant(last, 1)
    )
    drawing = lines(
        [Series(words("training.rate"), tuple(points), 0)], title=title, x_axis=words("axis.step"),
        y_axis=words("axis.rate"), x_written=words.count,
        y_written=lambda value: words.significant(value, 1), from_zero=True,
    )  # fmt: skip
    return Chart("learning_rate", title, drawing, ("step", "lr"), tuple(points))


def _epochs(evidence: Evidence, words: Words) -> list[Block]:
    epochs = evidence.rows("train", "epochs")
    main = evidence.detail("train", "main_metric")
    own = sorted({key for row in epochs for key in row} - set(_COLUMNS), key=lambda name: (name != main, name))
    there = [name for name in (*_COLUMNS, *own) if any(name in row for row in epochs)]
    if not epochs or not there:
        return []
    best = evidence.value("train", "best_epoch")
    rows = []
    for row in epochs:
        line = [Cell(words.count(row.get(name)) if name == "epoch" else words.share(row.get(name))) for name in there]
        note = words("training.kept") if finite(row.get("epoch")) == best else ""
        rows.append([*line, Cell(note, strong=True)])
    columns = [*(words(f"training.column_{name}") if name in _COLUMNS else shown(name, 40) for name in there), ""]
    return [table(words("training.epochs"), columns, rows, numeric=range(len(there)))]


def _recipe(evidence: Evidence, words: Words) -> list[Block]:
    items = [
        (words(f"training.{name}"), written_value)
        for name, written_value in (
            ("samples_per_s", _or_empty(evidence.value("train", "samples_per_s"), words.rate)),
            ("parameters", _or_empty(finite(evidence.detail("train", "parameters")), words.count)),
        )
        if written_value
    ]
    for key, value in sorted(evidence.mapping("train", "recipe").items()):
        if value is not None:
            number = finite(value)
            text = (
                shown(value, 120)
                if number is None
                else str(value)
                if isinstance(value, int)
                else words.significant(number)
            )
            items.append((str(key).replace("_", " "), text))
    return [Facts(tuple(items), words("training.recipe"))] if items else []


def _or_empty(value: float | None, form: Any) -> str:
    return "" if value is None else str(form(value))
