from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats

from modelyard.measure.intervals import bootstrap_mean, paired_loss, paired_ratio, quantile_interval


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


def test_the_ratio_of_equal_pairs_is_one_without_width():
    assert paired_ratio([2.0, 4.0, 8.0], [1.0, 2.0, 4.0]) == pytest.approx((2.0, 2.0))


def test_the_ratio_interval_agrees_with_a_t_test_on_logarithms():
    numerators, denominators = [10.0, 11.0, 12.0, 9.5], [5.0, 6.0, 5.5, 5.2]
    low, high = paired_ratio(numerators, denominators)
    theirs = scipy.stats.ttest_rel(np.log(numerators), np.log(denominators)).confidence_interval(0.95)
    assert (low, high) == pytest.approx((math.exp(theirs.low), math.exp(theirs.high)))


def test_one_round_proves_nothing():
    assert paired_ratio([3.0], [1.0]) == (0.0, math.inf)


def test_the_interval_of_the_median_holds_it():
    values = np.arange(1.0, 101.0)
    low, high = quantile_interval(values, 0.5)
    assert (low, high) == (40.0, 60.0)
