"""Scales, ticks and axes with their units."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from modelyard.stages.release.charts.canvas import Canvas


@dataclass(frozen=True)
class Scale:
    """From data in [low, high] to the drawing in [start, end]; logarithmic if asked (low > 0)."""

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool = False

    def __call__(self, value: float) -> float:
        low, high = self.low, self.high
        if self.logarithmic:
            value, low, high = math.log10(max(value, self.low)), math.log10(low), math.log10(high)
        return self.start + (value - low) / ((high - low) or 1.0) * (self.end - self.start)


def ticks(low: float, high: float, about: int = 5) -> list[float]:
    """Round values (1, 2 or 5 times a power of ten) within [low, high]."""
    span = high - low
    if span <= 0:
        return [low]
    raw = span / max(1, about)
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= raw * 0.7)
    first = math.ceil(low / step - 1e-9)
    last = math.floor(high / step + 1e-9)
    return [round(index * step, 12) for index in range(first, last + 1)]


def logarithmic_ticks(low: float, high: float) -> list[float]:
    """1, 2 and 5 of each decade within [low, high]; the decades alone when they are more than three."""
    decades = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    factors = (1, 2, 5) if high / low <= 1000 else (1,)
    return [factor * 10.0**decade for decade in decades for factor in factors if low <= factor * 10.0**decade <= high]


def padded(low: float, high: float, share: float = 0.06) -> tuple[float, float]:
    """A little air around the data; never an empty range."""
    span = (high - low) or abs(high) * 0.1 or 1.0
    return low - span * share, high + span * share


def bottom_axis(
    canvas: Canvas,
    scale: Scale,
    at: Sequence[float],
    top: float,
    y: float,
    title: str,
    written: Callable[[float], str],
) -> None:
    """Grid lines from `top` down to `y`, tick labels, and the title with its unit in the middle below."""
    for value in at:
        x = scale(value)
        canvas.line(x, top, x, y, "grid")
        canvas.text(x, y + 16, written(value), "tick", "middle")
    canvas.line(scale.start, y, scale.end, y, "axis")
    canvas.text((scale.start + scale.end) / 2, y + 34, title, "axis-title", "middle")


def left_axis(
    canvas: Canvas,
    scale: Scale,
    at: Sequence[float],
    left: float,
    right: float,
    title: str,
    written: Callable[[float], str],
) -> None:
    """Grid lines, tick labels, and the title above the axis, where it can be read without turning the head."""
    for value in at:
        y = scale(value)
        canvas.line(left, y, right, y, "grid")
        canvas.text(left - 8, y + 4, written(value), "tick", "end")
    canvas.text(4, min(scale.start, scale.end) - 12, title, "axis-title")
