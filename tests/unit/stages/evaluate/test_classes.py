from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import confusion_matrix, f1_score, precision_recall_fscore_support

from modelyard.stages.evaluate.classes import per_class
from modelyard.tasks.classes import confusion, macro_f1

LABELS = ("a", "b", "c")


@given(st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=40))
def test_the_figures_of_the_classes_are_those_of_scikit_learn(pairs):
    truth, predicted = np.array(pairs).T
    counts = confusion(predicted, truth, len(LABELS))
    assert counts.tolist() == confusion_matrix(truth, predicted, labels=[0, 1, 2]).tolist()
    theirs = precision_recall_fscore_support(truth, predicted, labels=[0, 1, 2], zero_division=0.0)
    found = per_class(counts, LABELS)
    for place, key in enumerate(("precision", "recall", "f1", "support")):
        assert [one[key] for one in found] == pytest.approx(theirs[place].tolist())
    assert macro_f1(counts) == pytest.approx(
        f1_score(truth, predicted, labels=[0, 1, 2], average="macro", zero_division=0.0)
    )


def test_a_rare_class_that_is_never_found_pulls_macro_f1_down():
    truth, predicted = np.array([(0, 0)] * 98 + [(1, 0)] * 2).T
    counts = confusion(predicted, truth, len(LABELS))
    found = per_class(counts, LABELS)
    assert found[1] == {"label": "b", "precision": 0.0, "recall": 0.0, "f1": 0.0, "support": 2}
    assert macro_f1(counts) == pytest.approx((2 * 98 / 198) / 3)
