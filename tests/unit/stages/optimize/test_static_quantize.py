from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from modelyard.runtimes.onnxruntime import open_graph
from modelyard.stages.optimize.channel_errors import compare_channels
from modelyard.stages.optimize.static_quantize import convolves, last_nodes, quantize_static


def convolutions(path, *, dense=4):
    """Three convolutions with their activation, pooled, and behind them a matrix of `dense` columns."""
    rng = np.random.default_rng(0)
    kernels = [rng.normal(0, 0.2, shape).astype(np.float32) for shape in ((8, 3, 3, 3), (8, 8, 3, 3), (8, 8, 3, 3))]
    kernels[1][2] *= 0.01  # one scale a tensor would lose this channel
    matrix = rng.normal(0, 0.2, (8, dense)).astype(np.float32)
    names = ("first", "second", "third", "matrix")
    weights = [numpy_helper.from_array(each, name) for each, name in zip([*kernels, matrix], names, strict=True)]
    nodes = [
        helper.make_node("Conv", ["pixels", "first"], ["a"], name="conv_first", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["a"], ["b"], name="relu_first"),
        helper.make_node("Conv", ["b", "second"], ["c"], name="conv_second", pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["c"], ["d"], name="relu_second"),
        helper.make_node("Conv", ["d", "third"], ["e"], name="conv_last", pads=[1, 1, 1, 1]),
        helper.make_node("GlobalAveragePool", ["e"], ["f"], name="pool"),
        helper.make_node("Flatten", ["f"], ["g"], name="flatten"),
        helper.make_node("MatMul", ["g", "matrix"], ["logits"], name="dense"),
    ]
    graph = helper.make_graph(
        nodes,
        "convolutions",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, ["batch", 3, 16, 16])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["batch", dense])],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    return path


def pictures(count, seed):
    rng = np.random.default_rng(seed)
    return [{"pixels": rng.random((1, 3, 16, 16)).astype(np.float32), "frame": np.zeros(4)} for _ in range(count)]


@pytest.mark.parametrize("reduced", [True, False])
def test_convolutions_get_eight_bits_and_the_last_layer_stays_float(tmp_path, reduced):
    source, target = convolutions(tmp_path / "float.onnx"), tmp_path / "int8.onnx"
    quantize_static(source, target, pictures(16, 0), reduce_range=reduced)
    made = onnx.load(target)
    stored = {value.name: value for value in made.graph.initializer}
    assert stored["first_quantized"].data_type == TensorProto.INT8
    assert len(stored["first_scale"].dims) == 1  # a scale for each output channel
    assert not any(node.op_type.startswith("DynamicQuantize") for node in made.graph.node)
    assert "third_quantized" in stored
    last = next(node for node in made.graph.node if node.name == "dense")
    assert "matrix" in last.input  # float as it was
    plain, quick = open_graph([source], 1), open_graph([target], 1)
    for feeds in pictures(8, 1):
        wanted, found = plain.run(feeds)["logits"], quick.run(feeds)["logits"]
        assert np.abs(found - wanted).max() < 0.1 * np.abs(wanted).max()
    errors = compare_channels(source, target, levels=64 if reduced else 127)
    assert errors.weights >= 1
    assert errors.per_channel < 0.02
    assert not made.metadata_props


def test_a_kernel_whose_channels_differ_is_told_from_one_scale_for_all(tmp_path):
    source, target = convolutions(tmp_path / "float.onnx"), tmp_path / "int8.onnx"
    quantize_static(source, target, pictures(4, 0), reduce_range=True)
    errors = compare_channels(source, target, levels=64)
    assert errors.per_tensor > 0.3
    assert errors.per_channel < 0.02


def test_what_no_layer_with_weights_follows_stays_float(tmp_path):
    graph = onnx.load(convolutions(tmp_path / "float.onnx")).graph
    assert last_nodes(graph) == ["dense"]
    graph.node.pop()
    assert last_nodes(graph) == ["conv_last", "pool", "flatten"]


def test_most_weights_decide_which_kind_of_quantisation_fits(tmp_path):
    assert convolves(convolutions(tmp_path / "kernels.onnx"))
    assert not convolves(convolutions(tmp_path / "dense.onnx", dense=500))
