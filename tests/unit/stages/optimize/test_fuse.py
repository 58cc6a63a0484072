from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime

from modelyard.stages.optimize.fuse import fuse
from modelyard.tasks import load_task
from tests.unit.tiny_bert import LABELS


def test_attention_norms_and_gelu_of_a_bert_become_single_kernels_and_are_listed(tiny_base, tmp_path):
    training = load_task("text_classification").training()
    (tmp_path / "model").mkdir()
    (tmp_path / "package").mkdir()
    training.save(training.load(str(tiny_base), LABELS, {}), str(tiny_base), tmp_path / "model", LABELS, 24)
    training.export(tmp_path / "model", tmp_path / "package", 24)
    (plain,) = (tmp_path / "package").rglob("*.onnx")
    fused = tmp_path / "fused.onnx"

    counts = fuse(plain, fused)

    # Two layers: an attention and a GELU each, and a norm after each of the two residual sums.
    assert (counts["attention"], counts["bias_gelu"], counts["skip_layer_normalization"]) == (2, 2, 4)
    kernels = Counter(node.op_type for node in onnx.load(fused).graph.node)
    assert (kernels["Attention"], kernels["BiasGelu"], kernels["SkipLayerNormalization"]) == (2, 2, 4)
    assert kernels["Softmax"] == kernels["Erf"] == 0
    feeds = {
        "input_ids": np.array([[2, 9, 17, 3], [2, 30, 3, 0]]),
        "attention_mask": np.array([[1, 1, 1, 1], [1, 1, 1, 0]]),
    }
    before, after = (onnxruntime.InferenceSession(path).run(None, feeds)[0] for path in (plain, fused))
    assert np.abs(before - after).max() < 1e-5
