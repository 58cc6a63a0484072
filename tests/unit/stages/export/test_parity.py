"""EXP-01: a batch held inside, a model left in training mode."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from modelyard.runtimes.golden_writing import spread
from modelyard.runtimes.onnxruntime import open_graph
from modelyard.stages.export.parity import UNBOUNDED, compare_cases, parity_cases
from modelyard.tasks.class_scores import LOGITS
from modelyard.tasks.pipeline import Prepared
from modelyard.tasks.text.graph import export_graph
from modelyard.tasks.text.prepare import TextPrepare
from modelyard.tasks.text_classification.model import forward
from modelyard.tasks.text_classification.pipeline import TextClassificationPipeline

FEEDS = ("input_ids", "attention_mask")


def item(size):
    return Prepared({"input_ids": np.arange(1, size + 1), "attention_mask": np.ones(size, np.int64)}, size)


@pytest.fixture
def pipeline(tiny_base):
    return TextClassificationPipeline(TextPrepare.open(tiny_base / "tokenizer.json", 16, FEEDS, 0), ["a", "b"])


class Scores(torch.nn.Module):
    """Normalises and drops; when `frozen` it reads the batch size as a plain number and reshapes with it."""

    def __init__(self, frozen=False):
        super().__init__()
        self.frozen = frozen
        torch.manual_seed(0)
        self.embedding = torch.nn.Embedding(40, 6)
        self.norm = torch.nn.BatchNorm1d(6)
        self.dropout = torch.nn.Dropout(0.5)
        self.head = torch.nn.Linear(6, 2)

    def forward(self, input_ids, attention_mask):
        hidden = self.embedding(input_ids) * attention_mask[..., None]
        summed = hidden.sum(dim=1)
        if self.frozen:
            summed = summed.reshape(int(input_ids.shape[0]), 6)
        return SimpleNamespace(logits=self.head(self.dropout(self.norm(summed))))


class Eager:
    def __init__(self, module):
        self.module = module.eval()

    def run(self, feeds):
        with torch.inference_mode():
            return {
                "logits": self.module(**{name: torch.from_numpy(array) for name, array in feeds.items()}).logits.numpy()
            }


CASES = parity_cases([item(size) for size in (3, 4, 5, 7, 9, 12)], item(16))


def test_a_module_left_in_training_mode_is_exported_in_eval_mode_with_a_free_batch(pipeline, tmp_path):
    module = Scores().train()
    export_graph(module, FEEDS, tmp_path / "model.onnx", LOGITS, forward)
    graphs = {"model": open_graph([tmp_path / "model.onnx"], 1)}
    results = compare_cases(pipeline, {"model": Eager(module)}, graphs, CASES)
    assert {len(result.case.items) for result in results} == {1, 2, 5}
    assert max(result.max_abs for result in results) < 1e-4


def test_a_module_that_reads_its_batch_size_is_free_or_refused_with_the_batch_named(pipeline, tmp_path):
    module = Scores(frozen=True)
    export_graph(module, FEEDS, tmp_path / "model.onnx", LOGITS, forward)
    graphs = {"model": open_graph([tmp_path / "model.onnx"], 1)}
    for result in compare_cases(pipeline, {"model": Eager(module)}, graphs, CASES):
        if result.max_abs >= 1e-4:
            assert result.max_abs == UNBOUNDED
            assert (
                f"input_ids for the following indices index: 0 Got: {len(result.case.items)} Expected: 2" in result.why
            )


def test_a_graph_with_batch_1_inside_is_refused_at_2_with_the_node_named(pipeline, tmp_path):
    nodes = [
        helper.make_node("Cast", ["input_ids"], ["wide"], to=TensorProto.FLOAT),
        helper.make_node("ReduceSum", ["wide", "axis"], ["sums"], keepdims=1),
        helper.make_node("Concat", ["sums", "sums"], ["pairs"], axis=1),
        helper.make_node("Reshape", ["pairs", "shape"], ["logits"], name="the_frozen_reshape"),
    ]
    graph = helper.make_graph(
        nodes,
        "frozen",
        [helper.make_tensor_value_info("input_ids", TensorProto.INT64, ["batch", "sequence"])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, None)],
        [numpy_helper.from_array(np.array([1]), "axis"), numpy_helper.from_array(np.array([1, 2]), "shape")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), tmp_path / "m.onnx")

    class Reference:
        def run(self, feeds):
            sums = feeds["input_ids"].sum(axis=1, keepdims=True).astype(np.float32)
            return {"logits": np.concatenate([sums, sums], axis=1)}

    graphs = {"model": open_graph([tmp_path / "m.onnx"], 1)}
    results = compare_cases(pipeline, {"model": Reference()}, graphs, CASES)
    for result in results:
        if len(result.case.items) == 1:
            assert (result.max_abs, result.why) == (0.0, "")
        else:
            assert result.max_abs == UNBOUNDED
            assert "the_frozen_reshape" in result.why


def test_large_weights_lie_beside_the_graph_and_are_named(pipeline, tmp_path, monkeypatch):
    monkeypatch.setattr("modelyard.tasks.onnx_graph.EXTERNAL_BYTES", 100)
    monkeypatch.setattr("modelyard.tasks.onnx_graph.SIZE_THRESHOLD", 100)
    module = Scores()
    files = export_graph(module, FEEDS, tmp_path / "model.onnx", LOGITS, forward)
    assert files == ["model.onnx", "model.onnx.data"]
    graphs = {"model": open_graph([tmp_path / name for name in files], 1)}
    results = compare_cases(pipeline, {"model": Eager(module)}, graphs, CASES)
    assert max(result.max_abs for result in results) < 1e-4


def test_golden_rows_span_the_sizes_and_so_do_the_first_eight():
    sizes = list(np.random.default_rng(0).permutation(np.arange(1, 201)))
    rows = spread(sizes, 64)
    assert len(set(rows)) == 64
    chosen = [sizes[row] for row in rows]
    assert (min(chosen), max(chosen)) == (1, 200)
    assert min(chosen[:8]) == 1
    assert max(chosen[:8]) > 170
    assert spread([3, 1], 64) == [1, 0]
