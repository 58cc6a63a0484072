"""EXP: real reports about compressing and exporting (ids as in the list of cases)."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from modelyard.stages.optimize.channel_errors import compare_channels
from modelyard.stages.optimize.quantize import quantize

# Two output channels, [10, -5] and [0.05, 0.02]; a MatMul holds them as columns.
WEIGHTS = np.array([[10.0, -5.0], [0.05, 0.02]], dtype=np.float32).T


def write_graph(path: Path) -> None:
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weights"], ["y"])],
        "small_channel",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 2])],
        [numpy_helper.from_array(np.ascontiguousarray(WEIGHTS), "weights")],
    )
    onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10), str(path))


@pytest.mark.parametrize("reduce_range", [False, True])
def test_exp_05_the_small_channel_lives_and_both_numbers_are_shown(tmp_path: Path, reduce_range: bool) -> None:
    source, target = tmp_path / "float.onnx", tmp_path / "int8.onnx"
    write_graph(source)
    quantize(source, target, reduce_range=reduce_range)
    stored = {value.name: numpy_helper.to_array(value) for value in onnx.load(target).graph.initializer}
    scales = stored["weights_scale"]
    assert scales.shape == (2,)  # one a channel
    restored = (stored["weights_quantized"].astype(np.float64) - stored["weights_zero_point"]) * scales
    np.testing.assert_allclose(restored[:, 1], [0.05, 0.02], atol=0.05 / 100)
    np.testing.assert_allclose(restored[:, 0], [10.0, -5.0], atol=10.0 / 100)
    levels = 64 if reduce_range else 127
    shown = compare_channels(source, target, levels=levels).as_json()
    assert shown["weights"] == 1
    assert shown["worst_channel_per_channel"] < 0.01
    # One scale a tensor: 10 / 127 = 0.0787 (10 / 64 = 0.156), and the second channel is [0.0787, 0] or [0, 0].
    assert shown["worst_channel_per_tensor"] == pytest.approx(0.5748 if levels == 127 else 1.0, abs=1e-3)
