from __future__ import annotations

import numpy as np

from modelyard.measure.load import Load
from modelyard.measure.percentiles import percentile, samples, summary


def load_of(latencies: np.ndarray, cpu_s: float | None = 1.0) -> Load:
    return Load(8, latencies, seconds=2.0, cpu_s=cpu_s)


def test_percentiles_of_a_hundred_and_one_requests():
    measured = summary(load_of(np.arange(101.0)))
    assert (measured["p50_ms"], measured["p90_ms"], measured["p99_ms"]) == (50.0, 90.0, 99.0)
    assert measured["requests"] == 101
    assert measured["throughput_rps"] == 50.5
    assert measured["cpu_ms"] == round(1000 / 101, 3)


def test_a_percentile_with_too_few_requests_behind_it_is_not_given():
    assert percentile(np.arange(99.0), 99) is None
    assert percentile(np.arange(99.0), 90) is not None
    assert percentile(np.arange(9.0), 50) is None


def test_unknown_cpu_time_stays_unknown():
    assert summary(load_of(np.arange(20.0), cpu_s=None))["cpu_ms"] is None


def test_samples_are_sorted_and_keep_both_ends():
    shown = samples(load_of(np.arange(5000.0)[::-1]), most=2000)
    assert len(shown) == 2000
    assert (shown[0], shown[-1]) == (0.0, 4999.0)
    assert shown == sorted(shown)
