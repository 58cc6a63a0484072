from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from modelyard.measure.intervals import bootstrap_mean, median_interval, paired_loss


def test_the_bootstrap_of_right_and_wrong_answers_agrees_with_scipy():
    right = np.array([1.0] * 170 + [0.0] * 30)
    low, high = bootstrap_mean(right, resamples=5000)
    theirs = scipy.stats.bootstrap(
        (right,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert low == pytest.approx(theirs.low, abs=0.006)
    assert high == pytest.approx(theirs.high, abs=0.006)


def test_the_bootstrap_of_any_values_agrees_with_scipy():
    values = np.random.default_rng(3).gamma(2.0, size=80)
    low, high = bootstrap_mean(values, resamples=5000)
    theirs = scipy.stats.bootstrap(
        (values,), np.mean, n_resamples=5000, method="percentile", rng=np.random.default_rng(1)
    ).confidence_interval
    assert low == pytest.approx(theirs.low, abs=0.03)
    assert high == pytest.approx(theirs.high, abs=0.03)


def test_the_same_seed_gives_the_same_interval():
    values = np.arange(50.0)
    assert bootstrap_mean(values, seed=4) == bootstrap_mean(values, seed=4)


def test_the_paired_loss_by_hand():
    # n + 2 = 102; b = 8.5, c = 2.5; difference 6 / 102; variance term (11 - 36 / 102) / 102^2
    low, high = paired_loss(8, 2, 100)
    half = 1.959964 * math.sqrt(11 - 36 / 102) / 102
    assert low == pytest.approx(6 / 102 - half, abs=1e-6)
    assert high == pytest.approx(6 / 102 + half, abs=1e-6)


def test_the_paired_loss_keeps_a_width_when_no_row_differs():
    low, high = paired_loss(0, 0, 600)
    assert low == -high
    assert 0.002 < high < 0.005


def test_the_paired_loss_covers_the_truth_19_times_in_20():
    rng = np.random.default_rng(0)
    drawn = rng.multinomial(600, [0.012, 0.008, 0.98], size=4000)
    covered = 0
    for lost, won, _ in drawn:
        low, high = paired_loss(int(lost), int(won), 600)
        covered += low <= 0.004 <= high
    assert 0.93 <= covered / 4000 <= 0.985


def test_the_interval_of_a_median_is_that_of_the_sign_test():
    values = np.arange(1.0, 21.0)
    # Conover's table of 20: ranks 6 and 15 leave 2 * 0.0207 outside, ranks 7 and 14 would leave 2 * 0.0577.
    assert median_interval(values) == (6.0, 15.0)
    assert 2 * scipy.stats.binom.cdf(5, 20, 0.5) == pytest.approx(0.0414, abs=1e-4)
    assert 2 * scipy.stats.binom.cdf(6, 20, 0.5) > 0.05


def test_one_wild_value_does_not_widen_the_interval_of_a_median():
    values = np.array([2.0] * 19 + [0.01])
    assert median_interval(values) == (2.0, 2.0)


def test_five_values_have_no_interval_and_six_have_their_ends():
    assert median_interval(np.arange(5.0)) == (-math.inf, math.inf)
    assert median_interval(np.arange(6.0)) == (0.0, 5.0)


def test_the_interval_of_a_median_covers_it_19_times_in_20():
    random = np.random.default_rng(0)
    covered = 0
    for _ in range(2000):
        low, high = median_interval(random.exponential(size=60))
        covered += low <= math.log(2) <= high
    assert 0.94 <= covered / 2000 <= 0.99
