"""Horizontal bars from zero, each with its value written at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from markupsafe import Markup

from modelyard.stages.release.charts.axes import Scale, bottom_axis, ticks
from modelyard.stages.release.charts.canvas import WIDTH, Canvas, colour, shortened, text_width

_ROW = 32
_BAR = 16


@dataclass(frozen=True)
class Bar:
    """muted: shown for comparison only."""

    label: str
    value: float
    written: str
    colour: int = 0
    muted: bool = False


def bars(
    data: Sequence[Bar],
    *,
    title: str,
    axis: str,
    written: Callable[[float], str],
    limit: float | None = None,
    limit_label: str = "",
) -> Markup:
    """limit: a bar that the values are held against, drawn as a dashed line with its label on top."""
    label_width = min(176.0, max(text_width(bar.label) for bar in data) + 12)
    value_width = max(text_width(bar.written) for bar in data) + 12
    top = 24.0 if limit is not None else 8.0
    bottom = top + _ROW * len(data)
    high = max([bar.value for bar in data] + ([limit] if limit is not None else [])) or 1.0
    scale = Scale(0.0, high, label_width, WIDTH - value_width)
    canvas = Canvas(bottom + 44, title)
    bottom_axis(canvas, scale, ticks(0.0, high, 4), top, bottom, axis, written)
    for index, bar in enumerate(data):
        y = top + index * _ROW + (_ROW - _BAR) / 2
        classes = f"bar {colour(bar.colour)}" + (" muted" if bar.muted else "")
        canvas.text(label_width - 8, y + 12, shortened(bar.label, label_width - 10), "name", "end")
        canvas.rect(label_width, y, max(1.5, scale(bar.value) - label_width), _BAR, classes)
        canvas.text(scale(max(0.0, bar.value)) + 6, y + 12, bar.written, "value halo")
    if limit is not None:
        canvas.line(scale(limit), top - 4, scale(limit), bottom, "limit")
        anchor = "end" if scale(limit) > WIDTH - text_width(limit_label) else "start"
        canvas.text(scale(limit), top - 10, limit_label, "limit-label", anchor)
    return canvas.markup()
