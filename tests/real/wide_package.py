"""A package whose graph is all matrix product: INT8 is really faster on it, and answers the same."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
from onnx import helper, numpy_helper
from safetensors.numpy import save_file

from modelyard.store import Package
from modelyard.tasks import load_task
from tests.packages import HIDDEN, TEXTS, graph, tiny_package

WIDTH = 2048


def wide_graph() -> onnx.ModelProto:
    """The bag of words of `tests.packages.graph`, plus a wide stack on every token that adds less than 0.01."""
    random = np.random.default_rng(0)
    model = graph()
    constants = {
        "widen": random.normal(0, 1 / np.sqrt(HIDDEN), (HIDDEN, WIDTH)).astype(np.float32),
        "first": random.normal(0, 1 / np.sqrt(WIDTH), (WIDTH, WIDTH)).astype(np.float32),
        "second": random.normal(0, 1 / np.sqrt(WIDTH), (WIDTH, WIDTH)).astype(np.float32),
        "narrow": random.normal(0, 1e-4, (WIDTH, 2)).astype(np.float32),
    }
    model.graph.initializer.extend(numpy_helper.from_array(value, name) for name, value in constants.items())
    model.graph.node[-1].output[0] = "plain"
    nodes = [
        helper.make_node("MatMul", ["vectors", "widen"], ["wide0"]),
        helper.make_node("MatMul", ["wide0", "first"], ["wide1"]),
        helper.make_node("Relu", ["wide1"], ["wide2"]),
        helper.make_node("MatMul", ["wide2", "second"], ["wide3"]),
        helper.make_node("ReduceMean", ["wide3", "one"], ["wide4"], keepdims=0),
        helper.make_node("MatMul", ["wide4", "narrow"], ["little"]),
        helper.make_node("Add", ["plain", "little"], ["logits"]),
    ]
    model.graph.node.extend(nodes)
    onnx.checker.check_model(model)
    return model


def wide_package(folder: Path) -> Package:
    """With the golden set of its own float graph."""
    package = tiny_package(folder)
    model = wide_graph()
    onnx.save(model, folder / "variants" / "float" / "model.onnx")
    pipeline = load_task("text_classification").open_pipeline(folder, package.info["pipeline"])
    session = onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])
    rows = [session.run(["logits"], dict(pipeline.collate([pipeline.prepare({"text": text})])))[0] for text in TEXTS]
    save_file({"logits": np.concatenate(rows)}, folder / "golden" / "outputs.safetensors")
    return Package.open(folder)
