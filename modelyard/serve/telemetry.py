"""What a served model counts: sliding percentiles for /stats, totals for Prometheus. Touched on the event loop only."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

from modelyard.monitor.histogram import ITEMS, Histogram
from modelyard.monitor.window import SlidingQuantiles
from modelyard.serve.requests import Timings

PARTS = ("request", "queue", "prepare", "compute", "decode")


class Telemetry:
    """Counters since the start and quantiles of the last five minutes."""

    def __init__(self) -> None:
        self.recent = {part: SlidingQuantiles() for part in PARTS}
        self.seconds = {part: Histogram() for part in PARTS}
        self.batches = Histogram(ITEMS)
        self.answered: Counter[tuple[str, int]] = Counter()  # (protocol, status)
        self.items = 0
        self.truncated = 0
        self.in_flight = 0
        self.streams_in_flight = 0
        self.pieces = 0
        self.first_piece = Histogram()
        self.stream_seconds = Histogram()
        self.failed_s = 0.0
        self.last_inference: float | None = None

    def batch(self, items: int) -> None:
        self.batches.add(items)

    def success(self, protocol: str, seconds: float, items: int, timings: Timings) -> None:
        """A request that was answered with a result, and where its time went."""
        self.answered[protocol, 200] += 1
        self.items += items
        self.last_inference = time.time()
        for part, value in (
            ("request", seconds),
            ("queue", timings.queue),
            ("prepare", timings.prepare),
            ("compute", timings.compute),
            ("decode", timings.decode),
        ):
            self.recent[part].add(value)
            self.seconds[part].add(value)

    def streamed(self, protocol: str, seconds: float, timings: Timings) -> None:
        """An answer in pieces that came to its end. Its time is counted apart: it is as long as the answer is."""
        self.answered[protocol, 200] += 1
        self.items += 1
        self.last_inference = time.time()
        self.pieces += timings.pieces
        self.stream_seconds.add(seconds)
        if timings.pieces:
            self.first_piece.add(timings.first)

    def failure(self, protocol: str, status: int, seconds: float) -> None:
        self.answered[protocol, status] += 1
        self.failed_s += seconds

    def failures(self) -> int:
        return sum(count for (_, status), count in self.answered.items() if status != 200)

    def statistics(self, name: str, version: str) -> dict[str, Any]:
        """In the shape of Triton's statistics extension (durations in ns)."""

        def duration(part: str) -> dict[str, int]:
            histogram = self.seconds[part]
            return {"count": histogram.count, "ns": int(histogram.total * 1e9)}

        return {
            "name": name,
            "version": version,
            "last_inference": int((self.last_inference or 0.0) * 1e3),
            "inference_count": self.items,
            "execution_count": self.batches.count,
            "inference_stats": {
                "success": duration("request"),
                "fail": {"count": self.failures(), "ns": int(self.failed_s * 1e9)},
                "queue": duration("queue"),
                "compute_input": duration("prepare"),
                "compute_infer": duration("compute"),
                "compute_output": duration("decode"),
            },
        }
