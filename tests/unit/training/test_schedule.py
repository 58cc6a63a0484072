from __future__ import annotations

import math

import pytest

from modelyard.training.schedule import WarmupCosine, scaled_rate


@pytest.mark.parametrize(
    ("scaling", "rate"), [("linear", 8e-4 / 8), ("sqrt", 8e-4 / math.sqrt(8)), ("none", 8e-4)], ids=str
)
def test_the_rate_stated_at_batch_256_is_scaled_to_batch_32(scaling, rate):
    assert scaled_rate(8e-4, 32, scaling) == pytest.approx(rate)


def test_at_batch_256_every_scaling_gives_the_base_rate():
    assert {scaled_rate(3e-4, 256, scaling) for scaling in ("linear", "sqrt", "none")} == {3e-4}


def test_the_rate_rises_in_a_line_and_falls_along_half_a_cosine():
    schedule = WarmupCosine(peak=1.0, warmup=3, total=11)
    by_hand = [0.25, 0.5, 0.75, 1.0, 0.961940, 0.853553, 0.691342, 0.5, 0.308658, 0.146447, 0.038060]
    assert [schedule.rate(step) for step in range(11)] == pytest.approx(by_hand, abs=1e-6)


def test_the_rate_ends_at_zero_and_never_passes_the_peak():
    schedule = WarmupCosine(peak=2e-4, warmup=0, total=5)
    assert schedule.rate(0) == 2e-4
    assert schedule.rate(5) == pytest.approx(0.0)
    assert schedule.rate(9) == pytest.approx(0.0)
