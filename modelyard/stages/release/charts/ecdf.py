"""The share of requests answered within a time: a curve from samples, beside the percentiles of others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from modelyard.stages.release.charts.axes import Scale, bottom_axis, left_axis, logarithmic_ticks, ticks
from modelyard.stages.release.charts.canvas import WIDTH, Canvas, colour, text_width
from modelyard.stages.release.numbers import Numbers

_HEIGHT = 288


@dataclass(frozen=True)
class Percentiles:
    """(milliseconds, share answered within them) in order; `sampled` when these are the samples themselves."""

    label: str
    points: tuple[tuple[float, float], ...]
    colour: int
    sampled: bool = False


def samples_as_points(samples: Sequence[float], most: int = 240) -> tuple[tuple[float, float], ...]:
    """The empirical distribution, thinned evenly in share; the first and the last sample always stay."""
    ordered = sorted(samples)
    size = len(ordered)
    step = max(1, size // most)
    kept = sorted({*range(0, size, step), size - 1})
    return tuple((ordered[index], (index + 1) / size) for index in kept)


def ecdf(
    data: Sequence[Percentiles],
    *,
    title: str,
    x_axis: str,
    y_axis: str,
    written: Callable[[float], str],
    numbers: Numbers,
    limit: float | None = None,
    limit_label: str = "",
) -> Markup:
    """limit: drawn when it lies within the data or close to it. The time axis is logarithmic."""
    times = [time for one in data for time, _ in one.points if time > 0]
    low, high = min(times), max(times)
    if limit is not None and limit <= high * 20:
        high = max(high, limit)
    else:
        limit = None
    low, high = low / 1.15, high * 1.15
    left, right, top, bottom = 48.0, WIDTH - 16.0, 44.0, _HEIGHT - 44.0
    x_scale, y_scale = Scale(low, high, left, right, logarithmic=True), Scale(0.0, 1.0, bottom, top)
    canvas = Canvas(_HEIGHT, title)
    left_axis(canvas, y_scale, ticks(0.0, 1.0, 4), left, right, y_axis, numbers.percent)
    bottom_axis(canvas, x_scale, logarithmic_ticks(low, high), top, bottom, x_axis, written)
    if limit is not None:
        canvas.line(x_scale(limit), top - 4, x_scale(limit), bottom, "limit")
        canvas.text(x_scale(limit), top - 8, limit_label, "limit-label", "end")
    for one in data:
        drawn = [(x_scale(max(time, low)), y_scale(part)) for time, part in one.points]
        canvas.path(drawn, f"line {colour(one.colour)}" + ("" if one.sampled else " dashed"))
        if not one.sampled:
            for (x, y), (time, part) in zip(drawn, one.points, strict=True):
                canvas.dot(
                    x, y, 4, f"dot {colour(one.colour)}", f"{one.label}: {numbers.percent(part)}, {written(time)}"
                )
    # A curve is labelled low at its right; percentiles below their first dot, each lower than the one before.
    ordered = sorted(data, key=lambda one: (not one.sampled, one.points[0][0]))
    for index, one in enumerate(ordered):
        if one.sampled:
            part = 0.25
            x = x_scale(next(time for time, answered in one.points if answered >= part)) + 8
        else:
            x, part = x_scale(one.points[0][0]) - 4, one.points[0][1] - 0.08 * (index + 1)
        over = x + text_width(one.label) > right
        canvas.text(right if over else x, y_scale(part) + 4, one.label, "name halo", "end" if over else "start")
    return canvas.markup()
