"""Dots with their intervals as whiskers, a row each, beside a reference line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from modelyard.stages.release.charts.axes import Scale, bottom_axis, padded, ticks
from modelyard.stages.release.charts.canvas import WIDTH, Canvas, colour, shortened, text_width

_ROW = 26


@dataclass(frozen=True)
class Dot:
    """A value with its interval (None where there is none). strong: lies apart from the reference."""

    label: str
    value: float
    interval: tuple[float, float] | None
    written: str
    strong: bool = False


def interval_dots(
    data: Sequence[Dot],
    *,
    title: str,
    axis: str,
    written: Callable[[float], str],
    reference: float | None = None,
    reference_label: str = "",
) -> Markup:
    label_width = min(184.0, max(text_width(dot.label) for dot in data) + 12)
    value_width = max(text_width(dot.written) * (1.1 if dot.strong else 1.0) for dot in data) + 12
    known = [dot.value for dot in data] + [bound for dot in data for bound in dot.interval or ()]
    low, high = padded(min(known + ([reference] if reference is not None else [])),
                       max(known + ([reference] if reference is not None else [])))  # fmt: skip
    top = 24.0 if reference is not None else 8.0
    bottom = top + _ROW * len(data)
    scale = Scale(low, high, label_width, WIDTH - value_width)
    canvas = Canvas(bottom + 44, title)
    bottom_axis(canvas, scale, ticks(low, high, 4), top, bottom, axis, written)
    if reference is not None:
        canvas.line(scale(reference), top - 4, scale(reference), bottom, "limit")
        canvas.text(scale(reference), top - 10, reference_label, "limit-label", "middle")
    for index, dot in enumerate(data):
        y = top + (index + 0.5) * _ROW
        classes = colour(1 if dot.strong else 0)
        canvas.text(label_width - 8, y + 4, shortened(dot.label, label_width - 10), "name", "end")
        if dot.interval is not None:
            canvas.line(scale(dot.interval[0]), y, scale(dot.interval[1]), y, f"whisker {classes}")
        canvas.dot(scale(dot.value), y, 5, f"dot {classes}", f"{dot.label}: {dot.written}")
        canvas.text(WIDTH - value_width + 8, y + 4, dot.written, "value strong" if dot.strong else "value")
    return canvas.markup()
