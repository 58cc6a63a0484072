from __future__ import annotations

import numpy as np
import pytest

from modelyard.stages.evaluate.calibration import calibration_bins, expected_calibration_error


def test_the_calibration_error_by_hand():
    confidence = np.array([0.95, 0.95, 0.95, 0.95, 0.65, 0.65])
    right = np.array([True, True, True, False, True, False])
    bins = calibration_bins(confidence, right, 10)
    # (0.9, 1.0]: |0.75 - 0.95| over 4 rows; (0.6, 0.7]: |0.5 - 0.65| over 2 rows
    assert expected_calibration_error(bins) == pytest.approx((4 * 0.20 + 2 * 0.15) / 6)
    assert [one["count"] for one in bins] == [0, 0, 0, 0, 0, 0, 2, 0, 0, 4]
    assert bins[9]["accuracy"] == 0.75
    assert bins[0]["confidence"] is None


def test_a_bin_holds_its_upper_edge_and_a_score_of_one():
    bins = calibration_bins(np.array([0.5, 1.0, 0.0]), np.array([True, True, True]), 2)
    assert [one["count"] for one in bins] == [2, 1]


def test_a_model_that_knows_its_chances_has_no_error():
    random = np.random.default_rng(0)
    confidence = random.uniform(0.5, 1.0, 200_000)
    right = random.uniform(size=200_000) < confidence
    assert expected_calibration_error(calibration_bins(confidence, right, 10)) < 0.01
