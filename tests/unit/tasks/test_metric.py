from __future__ import annotations

import numpy as np
import pytest

from modelyard.tasks.cosine import cosines
from modelyard.tasks.metric import Accuracy


def test_accuracy_is_the_share_of_labels_that_are_the_rows_own() -> None:
    metric = Accuracy()
    evidence = metric.evidence({"label": np.array(["a", "b", "b", "a"], dtype=object)}, ["a", "b", "a", "a"])
    assert evidence.tolist() == [True, True, False, True]
    assert metric.value(evidence) == 0.75


def test_cosines_are_those_of_the_angle_and_zeros_are_like_zeros_alone() -> None:
    one = np.array([[1.0, 0.0], [2.0, 2.0], [1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    other = np.array([[5.0, 0.0], [1.0, 0.0], [-3.0, 0.0], [0.0, 0.0], [1.0, 0.0]])
    assert cosines(one, other) == pytest.approx([1.0, 2**-0.5, -1.0, 1.0, 0.0])
