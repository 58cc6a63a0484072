from __future__ import annotations

import numpy as np
import pytest

from modelyard.stages.evaluate.gradients import gradient_histograms


def test_a_histogram_says_which_way_the_gradient_runs():
    across = np.tile(np.arange(24, dtype=np.float32), (24, 1))
    histograms = gradient_histograms(np.stack([across, across.T, np.zeros((24, 24), np.float32)]), 6)
    by_direction = histograms.reshape(3, 16, 9).sum(axis=1)
    assert by_direction[0].argmax() == 0  # 0 to 20 degrees
    assert by_direction[1].argmax() == 4  # 80 to 100
    assert not by_direction[2].any()
    assert np.linalg.norm(histograms[:2], axis=1) == pytest.approx([1, 1], abs=1e-5)
