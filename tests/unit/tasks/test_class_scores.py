from __future__ import annotations

import numpy as np
import pytest

from modelyard.errors import Fault
from modelyard.tasks import load_task
from modelyard.tasks.class_scores import decode, softmax


def test_the_softmax_is_that_of_torch():
    import torch

    logits = np.random.default_rng(0).normal(scale=20, size=(50, 7)).astype(np.float32)
    wanted = torch.from_numpy(logits).double().softmax(dim=-1).numpy()
    np.testing.assert_allclose(softmax(logits), wanted, atol=1e-7)


def test_huge_logits_do_not_overflow():
    assert softmax(np.array([[1e30, -1e30], [-1e4, -1e4]], np.float32)).tolist() == [[1.0, 0.0], [0.5, 0.5]]


def test_label_score_and_scores_belong_together():
    answer = decode({"logits": np.array([[0.0, np.log(3)], [2.0, 2.0 - np.log(9)]], np.float32)}, ["no", "yes"])
    assert answer["label"].tolist() == ["yes", "no"]
    assert answer["label"].dtype == object
    assert answer["score"] == pytest.approx([0.75, 0.9])
    assert answer["scores"].dtype == np.float32
    assert answer["scores"].ravel() == pytest.approx([0.25, 0.75, 0.9, 0.1])


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_logit_that_is_not_finite_is_not_hidden(value):
    answer = decode({"logits": np.array([[value, 0.0], [0.0, 1.0]], np.float32)}, ["no", "yes"])
    assert answer["label"].tolist() == ["", "yes"]
    assert np.isnan(answer["score"][0])
    assert np.isnan(answer["scores"][0]).all()
    assert np.isfinite(answer["scores"][1]).all()


def test_a_graph_with_other_labels_is_a_fault():
    with pytest.raises(Fault, match="3"):
        decode({"logits": np.zeros((1, 2), np.float32)}, ["a", "b", "c"])


def test_the_signature_is_public_and_raw():
    shown = load_task("text_classification").signature(["a", "b", "c"]).as_json()
    assert shown == {
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [-1]},
            {"name": "score", "datatype": "FP32", "shape": [-1]},
            {"name": "scores", "datatype": "FP32", "shape": [-1, 3]},
        ],
    }
