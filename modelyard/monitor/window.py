"""Quantiles of the last minutes: a ring of sketches, the oldest dropped as time goes on."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from typing import Any

from modelyard.monitor.quantile_sketch import RELATIVE_ERROR, QuantileSketch

WINDOW_S = 300.0
SLICES = 10


class SlidingQuantiles:
    """Values of the last `window_s` seconds, forgotten in slices of a tenth of it."""

    def __init__(
        self, window_s: float = WINDOW_S, slices: int = SLICES, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._slice_s = window_s / slices
        self._keep = slices
        self._clock = clock
        self._ring: deque[tuple[float, QuantileSketch]] = deque()

    def add(self, value: float) -> None:
        now = self._clock()
        if not self._ring or now >= self._ring[-1][0]:
            self._forget(now)
            self._ring.append((now + self._slice_s, QuantileSketch()))
        self._ring[-1][1].add(value)

    def _forget(self, now: float) -> None:
        # A slice that ends at t holds values as old as t - slice_s.
        while self._ring and self._ring[0][0] <= now - self._slice_s * (self._keep - 1):
            self._ring.popleft()

    def merged(self) -> QuantileSketch:
        """One sketch of what the window holds now."""
        self._forget(self._clock())
        whole = QuantileSketch()
        for _, sketch in self._ring:
            whole.merge(sketch)
        return whole

    def summary_ms(self) -> dict[str, Any]:
        """Values were seconds: count, mean and percentiles in milliseconds; None where there is no data."""
        sketch = self.merged()

        def shown(share: float) -> float | None:
            value = sketch.quantile(share)
            return None if value is None else round(value * 1e3, 4)

        return {
            "count": sketch.count,
            "mean_ms": round(sketch.total / sketch.count * 1e3, 4) if sketch.count else None,
            "p50_ms": shown(0.5),
            "p90_ms": shown(0.9),
            "p99_ms": shown(0.99),
            "max_ms": round(sketch.greatest * 1e3, 4) if sketch.count else None,
            "relative_error": RELATIVE_ERROR,
        }
