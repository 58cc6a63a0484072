"""EXP: real reports about compressing and exporting (ids as in the list of cases)."""

from __future__ import annotations

import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.runtimes.golden import read_golden
from modelyard.stages.adopt import AdoptConfig, adopt
from modelyard.stages.optimize.channel_errors import compare_channels
from modelyard.stages.optimize.quantize import quantize
from modelyard.store import Package, Store

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


class ReadsTheBatch(torch.nn.Module):
    """Reads the batch size as a plain number and reshapes with it."""

    def __init__(self) -> None:
        super().__init__()
        self.head = torch.nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        b = int(x.shape[0])
        return self.head(x.reshape(b, 6))


class Learns(torch.nn.Module):
    """Batch normalisation and dropout, which another model computes with than it learns with."""

    def __init__(self) -> None:
        super().__init__()
        self.norm, self.drop, self.head = torch.nn.BatchNorm1d(6), torch.nn.Dropout(0.5), torch.nn.Linear(6, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.head(self.drop(self.norm(x)))


@pytest.fixture
def fresh() -> Iterator[None]:
    torch.manual_seed(0)
    yield


FREE = {"x": {0: "batch"}, "y": {0: "batch"}}


def exported(
    model: torch.nn.Module, sample: torch.Tensor, path: Path, free: dict[str, dict[int, str]] = FREE, **how: object
) -> Path:
    """By tracing, as most files that are around were made: what the trace read as a number stays one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that numbers become constants is the point
        torch.onnx.export(
            model, (sample,), path, dynamo=False, input_names=["x"], output_names=["y"], dynamic_axes=free, **how
        )
    return path


def adopted(path: Path, folder: Path) -> Package:
    made = adopt(path, AdoptConfig(), Run(Store(folder / "store"), threads=1))
    assert isinstance(made, Package)
    return made


def test_exp_01_batch_1_inside_is_refused_at_2_with_the_node_named(tmp_path: Path, fresh: None) -> None:
    path = exported(ReadsTheBatch().eval(), torch.randn(1, 2, 3), tmp_path / "one.onnx")
    with pytest.raises(BadInput) as caught:
        adopted(path, tmp_path)
    said = (
        "one.onnx says that its first axis (batch) is free, but works at 1 only: at 2 it fails: node /Reshape (Reshape)"
    )
    assert caught.value.message.startswith(said)


def test_exp_01_a_batch_that_really_is_free_is_served_as_one(tmp_path: Path, fresh: None) -> None:
    model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(6, 2)).eval()
    package = adopted(exported(model, torch.randn(2, 2, 3), tmp_path / "free.onnx"), tmp_path)
    assert package.info["batch"] is True
    assert {item_rows(item) for item in read_golden(package).inputs} == {1, 2, 5}


def test_exp_01_a_batch_that_says_that_it_is_fixed_is_served_fixed(tmp_path: Path, fresh: None) -> None:
    path = exported(ReadsTheBatch().eval(), torch.randn(1, 2, 3), tmp_path / "fixed.onnx", free={})
    said = adopted(path, tmp_path).info
    assert (said["batch"], said["signature"]["inputs"][0]["shape"]) == (False, [1, 2, 3])


def item_rows(item: dict[str, np.ndarray]) -> int:
    (array,) = item.values()
    return len(array)


@pytest.mark.parametrize("mode", [torch.onnx.TrainingMode.TRAINING, torch.onnx.TrainingMode.PRESERVE])
def test_exp_01_training_mode_is_refused_in_so_many_words(
    tmp_path: Path, fresh: None, mode: torch.onnx.TrainingMode
) -> None:
    path = exported(Learns().train(), torch.randn(4, 6), tmp_path / "learns.onnx", training=mode)
    with pytest.raises(BadInput, match="training mode: node /norm/BatchNormalization"):
        adopted(path, tmp_path)


def test_exp_01_what_was_left_in_training_mode_but_exported_in_eval_mode_is_right(tmp_path: Path, fresh: None) -> None:
    model = Learns()
    model.train()(torch.randn(64, 6) * 3 + 1)  # statistics that are not those it began with
    package = adopted(exported(model, torch.randn(4, 6), tmp_path / "learns.onnx"), tmp_path)
    golden = read_golden(package)
    model.eval()
    for item, answer in zip(golden.inputs, golden.outputs, strict=True):
        with torch.inference_mode():
            wanted = model(torch.from_numpy(item["x"])).numpy()
        np.testing.assert_allclose(answer["y"], wanted, rtol=0, atol=1e-4)


def test_exp_03_every_file_that_the_model_refers_to_goes_with_it(tmp_path: Path) -> None:
    """By its location entries, not by name: one file a tensor, in a folder of its own."""
    made = tmp_path / "made"
    made.mkdir()
    weights = {"w": np.arange(6, dtype=np.float32).reshape(2, 3), "v": np.ones(3, dtype=np.float32)}
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "w"], ["xw"]), helper.make_node("Add", ["xw", "v"], ["y"])],
        "split",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 2])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["n", 3])],
        [numpy_helper.from_array(array, name) for name, array in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    (made / "weights").mkdir()
    for tensor in model.graph.initializer:
        (made / "weights" / f"{tensor.name} of it").write_bytes(tensor.raw_data)
        tensor.ClearField("raw_data")
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=f"weights/{tensor.name} of it")
    (made / "model.onnx").write_bytes(model.SerializeToString())
    (made / "model.onnx.data").write_bytes(b"by its name one would take this one")
    package = adopted(made / "model.onnx", tmp_path)
    files = package.variants[0]["graphs"]["model"]["files"]
    assert files == [f"variants/float/{name}" for name in ("model.onnx", "weights/w of it", "weights/v of it")]
    shutil.rmtree(made)
    session = onnxruntime.InferenceSession(str(package.path / files[0]), providers=["CPUExecutionProvider"])
    (answer,) = session.run(None, {"x": np.array([[1.0, 2.0]], dtype=np.float32)})
    assert answer.tolist() == [[7.0, 10.0, 13.0]]


def test_exp_03_a_model_copied_without_its_weights_names_file_and_tensor(tmp_path: Path) -> None:
    whole, alone = tmp_path / "whole" / "model.onnx", tmp_path / "alone" / "model.onnx"
    whole.parent.mkdir()
    alone.parent.mkdir()
    write_graph(whole)
    onnx.save_model(onnx.load(whole), whole, save_as_external_data=True, location="model.data", size_threshold=0)
    shutil.copyfile(whole, alone)
    with pytest.raises(BadInput) as caught:
        adopted(alone, tmp_path)
    assert caught.value.message == "model.data is missing: it holds the tensor weights of model.onnx"
    assert caught.value.where == str(alone.parent / "model.data")
