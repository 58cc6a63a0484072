from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.errors import BadInput
from modelyard.tasks import load_task
from modelyard.tasks.classes import accuracy, confusion, macro_f1
from modelyard.tasks.cross_entropy import cross_entropy

answers = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=60)


@given(answers)
@settings(deadline=None)
def test_accuracy_macro_f1_and_confusion_are_those_of_sklearn(pairs):
    from sklearn import metrics

    predicted, targets = np.array(pairs, dtype=np.int64).T
    labels = list(range(4))
    counts = confusion(predicted, targets, 4)
    assert accuracy(counts) == pytest.approx(metrics.accuracy_score(targets, predicted))
    wanted = metrics.f1_score(targets, predicted, labels=labels, average="macro", zero_division=0)
    assert macro_f1(counts) == pytest.approx(wanted)
    np.testing.assert_array_equal(counts, metrics.confusion_matrix(targets, predicted, labels=labels))


def test_the_loss_is_a_sum_with_its_weight():
    logits = torch.tensor([[0.0, math.log(3)], [0.0, math.log(3)], [0.0, 0.0]])
    total, weight = cross_entropy(logits, torch.tensor([1, 0, 0]))
    assert float(total) == pytest.approx(-math.log(0.75) - math.log(0.25) - math.log(0.5), rel=1e-6)
    assert float(weight) == 3.0


def test_label_smoothing_spreads_its_share_over_all_classes():
    total, _ = cross_entropy(torch.tensor([[0.0, math.log(3)]]), torch.tensor([1]), label_smoothing=0.2)
    assert float(total) == pytest.approx(-0.9 * math.log(0.75) - 0.1 * math.log(0.25), rel=1e-6)


def test_a_class_the_model_does_not_have_is_named():
    training = load_task("text_classification").training()
    assert training.targets(["b", "a", "b"], ["a", "b"]).tolist() == [1, 0, 1]
    with pytest.raises(BadInput, match="'c' is not one of the model's: a, b"):
        training.targets(["a", "c"], ["a", "b"])
