from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.monitor.quantile_sketch import RELATIVE_ERROR, QuantileSketch
from modelyard.monitor.window import SlidingQuantiles

VALUES = st.lists(st.floats(1e-6, 1e4), min_size=1, max_size=300)


@given(VALUES, st.sampled_from([0.0, 0.5, 0.9, 0.99, 1.0]))
def test_every_quantile_lies_within_one_per_cent_of_numpys(values: list[float], share: float) -> None:
    sketch = QuantileSketch()
    for value in values:
        sketch.add(value)
    exact = float(np.quantile(values, share, method="inverted_cdf"))
    found = sketch.quantile(share)
    assert found is not None
    assert abs(found - exact) <= RELATIVE_ERROR * exact * 1.000001


@given(VALUES, VALUES)
def test_merging_is_the_same_as_counting_everything_in_one(left: list[float], right: list[float]) -> None:
    parts, whole = (QuantileSketch(), QuantileSketch()), QuantileSketch()
    for values, sketch in zip((left, right), parts, strict=True):
        for value in values:
            sketch.add(value)
            whole.add(value)
    parts[0].merge(parts[1])
    assert parts[0].count == whole.count
    assert parts[0].greatest == whole.greatest
    assert [parts[0].quantile(q) for q in (0.1, 0.5, 0.99)] == [whole.quantile(q) for q in (0.1, 0.5, 0.99)]


def test_a_hundred_thousand_latencies_fit_in_a_few_hundred_buckets() -> None:
    values = np.random.default_rng(0).lognormal(-5.0, 1.0, 100_000)
    sketch = QuantileSketch()
    for value in values:
        sketch.add(float(value))
    assert len(sketch._buckets) < 700
    assert sketch.quantile(0.99) == pytest.approx(float(np.quantile(values, 0.99)), rel=0.011)


def test_no_data_is_none_and_not_zero() -> None:
    assert QuantileSketch().quantile(0.5) is None
    summary = SlidingQuantiles().summary_ms()
    assert (summary["count"], summary["p50_ms"], summary["p99_ms"], summary["mean_ms"]) == (0, None, None, None)


def test_sketches_of_different_errors_are_not_added_up() -> None:
    with pytest.raises(ValueError, match="different relative errors"):
        QuantileSketch(0.01).merge(QuantileSketch(0.02))


def test_old_values_leave_the_window() -> None:
    now = 0.0
    window = SlidingQuantiles(window_s=100, slices=10, clock=lambda: now)
    window.add(5.0)
    now = 60.0
    window.add(1.0)
    assert window.merged().count == 2
    now = 101.0
    assert window.merged().count == 1
    assert window.summary_ms()["p99_ms"] == pytest.approx(1000, rel=0.01)
    now = 500.0
    assert window.merged().count == 0
