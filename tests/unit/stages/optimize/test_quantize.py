from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from modelyard.stages.optimize.channel_errors import channel_errors, compare_channels, symmetric
from modelyard.stages.optimize.quantize import quantize

# EXP-05: one scale for the tensor is 10 / 127 = 0.0787, so the small channel becomes [0.0787, 0].
SMALL_CHANNEL = np.array([[10.0, -5.0], [0.05, 0.02]]).T


def write_matmul(path, weights: np.ndarray) -> None:
    """y = x W, with a stack trace in its metadata as exporters leave it."""
    node = helper.make_node("MatMul", ["x", "weights"], ["y"], doc_string="File /home/someone/train.py")
    node.metadata_props.add(key="stack_trace", value="/home/someone/train.py")
    graph = helper.make_graph(
        [node],
        "matmul",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", weights.shape[0]])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", weights.shape[1]])],
        [numpy_helper.from_array(weights.astype(np.float32), "weights")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    onnx.save(model, path)


def test_one_scale_a_tensor_loses_the_small_channel():
    restored = symmetric(SMALL_CHANNEL, 127, None)
    assert restored[:, 1] == pytest.approx([0.0787, 0.0], abs=1e-4)
    # |0.05 - 0.0787| = 0.0287 of a channel whose largest weight is 0.05
    assert channel_errors(SMALL_CHANNEL, restored)[1] == pytest.approx(0.0287 / 0.05, abs=0.01)


def test_one_scale_a_channel_keeps_it():
    restored = symmetric(SMALL_CHANNEL, 127, 0)
    assert channel_errors(SMALL_CHANNEL, restored).max() < 0.5 / 127 + 1e-9


def test_a_channel_of_zeros_is_kept_or_lost_whole():
    zeros = np.zeros((2, 1))
    assert channel_errors(zeros, zeros).tolist() == [0.0]
    assert channel_errors(zeros, zeros + 0.1).tolist() == [1.0]


@pytest.mark.parametrize(("reduce_range", "levels"), [(True, 64), (False, 127)])
def test_the_quantised_file_is_compared_channel_by_channel_and_both_numbers_shown(tmp_path, reduce_range, levels):
    source, target = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    write_matmul(source, SMALL_CHANNEL)
    quantize(source, target, reduce_range=reduce_range)
    errors = compare_channels(source, target, levels=levels)
    assert errors.weights == 1
    assert errors.per_channel <= 0.5 / levels + 1e-6
    assert errors.per_tensor > 0.5
    assert set(errors.as_json()) == {"weights", "worst_channel_per_channel", "worst_channel_per_tensor"}


def test_the_quantised_file_is_the_same_every_time_and_says_nothing_about_this_machine(tmp_path):
    source = tmp_path / "float.onnx"
    write_matmul(source, np.random.default_rng(0).normal(size=(16, 8)))
    quantize(source, tmp_path / "a.onnx", reduce_range=True)
    quantize(source, tmp_path / "b.onnx", reduce_range=True)
    data = (tmp_path / "a.onnx").read_bytes()
    assert data == (tmp_path / "b.onnx").read_bytes()
    assert b"/home/someone" not in data
    operators = {node.op_type for node in onnx.load(tmp_path / "a.onnx").graph.node}
    assert "MatMulInteger" in operators
