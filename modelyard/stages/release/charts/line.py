"""Lines over a common horizontal axis, each labelled at its end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from modelyard.stages.release.charts.axes import Scale, bottom_axis, left_axis, padded, ticks
from modelyard.stages.release.charts.canvas import WIDTH, Canvas, colour, text_width

_HEIGHT = 256
_LINE = 14  # between two labels


@dataclass(frozen=True)
class Series:
    """Points in order of x. dots: few points, each of its own worth."""

    label: str
    points: tuple[tuple[float, float], ...]
    colour: int = 0
    dots: bool = False


def _spread(wanted: Sequence[float], low: float, high: float) -> list[float]:
    """Heights for labels near the wanted ones that do not lie on each other."""
    order = sorted(range(len(wanted)), key=lambda index: wanted[index])
    placed = [0.0] * len(wanted)
    floor = low
    for index in order:
        placed[index] = max(wanted[index], floor)
        floor = placed[index] + _LINE
    ceiling = high
    for index in reversed(order):
        placed[index] = min(placed[index], ceiling)
        ceiling = placed[index] - _LINE
    return placed


def lines(
    series: Sequence[Series],
    *,
    title: str,
    x_axis: str,
    y_axis: str,
    x_written: Callable[[float], str],
    y_written: Callable[[float], str],
    from_zero: bool = False,
) -> Markup:
    xs = [x for one in series for x, _ in one.points]
    ys = [y for one in series for _, y in one.points]
    y_low, y_high = padded(0.0 if from_zero else min(ys), max(ys))
    if min(ys) >= 0:
        y_low = max(0.0, y_low)
    y_ticks = ticks(y_low, y_high, 4)
    left = max(text_width(y_written(value)) for value in y_ticks) + 16
    right = WIDTH - max(text_width(one.label) for one in series) - 16
    top, bottom = 28.0, _HEIGHT - 44.0
    x_scale = Scale(min(xs), max(xs) if max(xs) > min(xs) else min(xs) + 1, left, right)
    y_scale = Scale(y_low, y_high, bottom, top)
    canvas = Canvas(_HEIGHT, title)
    left_axis(canvas, y_scale, y_ticks, left, right, y_axis, y_written)
    bottom_axis(canvas, x_scale, ticks(x_scale.low, x_scale.high, 5), bottom, bottom, x_axis, x_written)
    heights = _spread([y_scale(one.points[-1][1]) for one in series], top, bottom)
    for one, height in zip(series, heights, strict=True):
        drawn = [(x_scale(x), y_scale(y)) for x, y in one.points]
        canvas.path(drawn, f"line {colour(one.colour)}" + (" thin" if one.dots else ""))
        if one.dots:
            for (x, y), (_, value) in zip(drawn, one.points, strict=True):
                canvas.dot(x, y, 4.5, f"dot {colour(one.colour)}", f"{one.label}: {y_written(value)}")
        if abs(height - drawn[-1][1]) > 4:
            canvas.line(drawn[-1][0] + 2, drawn[-1][1], right + 8, height, "leader")
        canvas.text(right + 10, height + 4, one.label, "name halo")
    return canvas.markup()
