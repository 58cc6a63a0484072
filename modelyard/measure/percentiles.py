"""Latency percentiles, each only where enough requests stand behind it."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelyard.measure.intervals import Values, median_interval
from modelyard.measure.load import Load

# A percentile wants at least one request beyond it to be more than the largest value seen.
LEAST_REQUESTS = {50: 10, 90: 20, 99: 100}


def percentile(latencies_ms: Values, rank: int) -> float | None:
    """The percentile in ms; None where fewer than LEAST_REQUESTS requests were answered."""
    if len(latencies_ms) < LEAST_REQUESTS[rank]:
        return None
    return float(np.percentile(latencies_ms, rank))


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)


def summary(load: Load) -> dict[str, Any]:
    """One load for a Report: percentiles, requests, seconds, throughput, CPU ms an answer."""
    measured: dict[str, Any] = {f"p{rank}_ms": _rounded(percentile(load.latencies_ms, rank)) for rank in LEAST_REQUESTS}
    if measured["p50_ms"] is not None:
        measured["p50_interval_ms"] = [round(end, 3) for end in median_interval(load.latencies_ms)]
    return measured | {
        "requests": load.answers,
        "failures": len(load.failures),
        "seconds": round(load.seconds, 3),
        "throughput_rps": round(load.throughput_rps, 2),
        "cpu_ms": _rounded(load.cpu_ms),
        "concurrency": load.concurrency,
    }


def samples(load: Load, most: int = 2000) -> list[float]:
    """Sorted latencies in ms for a plot; where there are more than `most`, evenly spaced ranks of them."""
    ordered = np.sort(load.latencies_ms)
    if len(ordered) > most:
        ordered = ordered[np.linspace(0, len(ordered) - 1, most).round().astype(int)]
    return [round(float(value), 3) for value in ordered]
