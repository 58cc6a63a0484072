"""A reliability diagram: how often answers of a given score were right (DeGroot & Fienberg 1983)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from modelyard.stages.release.charts.axes import Scale, bottom_axis, left_axis, ticks
from modelyard.stages.release.charts.canvas import WIDTH, Canvas, colour
from modelyard.stages.release.numbers import Numbers

_HEIGHT = 336
_Z = 1.959964  # of a two-sided 95 % interval


@dataclass(frozen=True)
class Bin:
    """Answers whose score lies in one bin: mean score, share that was right, how many."""

    confidence: float
    accuracy: float
    count: float


def wilson(accuracy: float, count: float) -> tuple[float, float]:
    """95 % interval of a share (Wilson 1927)."""
    centre = (accuracy + _Z**2 / (2 * count)) / (1 + _Z**2 / count)
    half = _Z / (1 + _Z**2 / count) * math.sqrt(accuracy * (1 - accuracy) / count + _Z**2 / (4 * count**2))
    return max(0.0, centre - half), min(1.0, centre + half)


def reliability(
    bins: Sequence[Bin], *, title: str, x_axis: str, y_axis: str, diagonal: str, numbers: Numbers
) -> Markup:
    """The area of a dot grows with its answers; whiskers are Wilson intervals; the dashed line is perfect."""
    low = min([one.confidence for one in bins] + [wilson(one.accuracy, one.count)[0] for one in bins])
    low = max(0.0, math.floor(low * 10) / 10)
    left, right, top, bottom = 48.0, WIDTH - 24.0, 28.0, _HEIGHT - 44.0
    x_scale, y_scale = Scale(low, 1.0, left, right), Scale(low, 1.0, bottom, top)
    canvas = Canvas(_HEIGHT, title)
    at = ticks(low, 1.0, 5)
    left_axis(canvas, y_scale, at, left, right, y_axis, lambda value: f"{value:.1f}")
    bottom_axis(canvas, x_scale, at, top, bottom, x_axis, lambda value: f"{value:.1f}")
    canvas.line(x_scale(low), y_scale(low), x_scale(1.0), y_scale(1.0), "limit")
    corner = low + (1 - low) * 0.34
    canvas.text(x_scale(corner) - 8, y_scale(corner) - 10, diagonal, "limit-label halo", "end")
    most = max(one.count for one in bins)
    for one in bins:
        x, (lower, upper) = x_scale(one.confidence), wilson(one.accuracy, one.count)
        canvas.line(x, y_scale(lower), x, y_scale(upper), f"whisker {colour(0)}")
    for one in bins:
        hint = f"{numbers.share(one.confidence)}: {numbers.share(one.accuracy)}, {numbers.count(one.count)}"
        radius = 3 + 7 * math.sqrt(one.count / most)
        canvas.dot(x_scale(one.confidence), y_scale(one.accuracy), radius, f"dot {colour(0)}", hint)
    return canvas.markup()
