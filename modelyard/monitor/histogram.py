"""Cumulative histograms as Prometheus wants them, cheap enough for every request."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

# Seconds. Fine where CPU models answer (1-100 ms), wide enough for a queue that has filled up.
SECONDS = (
    *(0.0005, 0.001, 0.0015, 0.002, 0.003, 0.004, 0.005, 0.006, 0.008),
    *(0.010, 0.0125, 0.015, 0.020, 0.025, 0.030, 0.040, 0.050, 0.060, 0.080),
    *(0.100, 0.125, 0.150, 0.200, 0.250, 0.300, 0.400, 0.500, 0.600, 0.800),
    *(1.0, 1.5, 2.0, 3.0, 4.0, 5.0, 7.5, 10.0),
)
ITEMS = (1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0, 16.0, 32.0, 64.0)


class Histogram:
    """Counts by upper bound; the last bucket has no bound."""

    __slots__ = ("_bounds", "_counts", "count", "total")

    def __init__(self, bounds: Sequence[float] = SECONDS) -> None:
        self._bounds = tuple(bounds)
        self._counts = [0] * (len(self._bounds) + 1)
        self.count = 0
        self.total = 0.0

    def add(self, value: float) -> None:
        self._counts[bisect_left(self._bounds, value)] += 1
        self.count += 1
        self.total += value

    def cumulative(self) -> list[tuple[str, float]]:
        """(upper bound as Prometheus writes it, values up to it)."""
        shown, seen = [], 0
        for bound, count in zip((*self._bounds, None), self._counts, strict=True):
            seen += count
            shown.append(("+Inf" if bound is None else repr(float(bound)), float(seen)))
        return shown
