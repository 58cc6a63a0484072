from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.runtimes.graph_failure import GraphFailure, graph_failure
from modelyard.runtimes.onnxruntime import OnnxGraph, open_graph
from modelyard.stages.adopt.graph_tensors import GraphTensor, graph_inputs
from modelyard.stages.adopt.random_inputs import Draw, find_draw, guessed_numbers, index_limits, larger
from modelyard.tasks.tensor.datatypes import BYTES, DTYPES, datatype_of
from tests.graphs import Value, graph, node, saved


def opened(model: onnx.ModelProto, folder: Path) -> tuple[OnnxGraph, list[GraphTensor]]:
    path = saved(model, folder / "model.onnx")
    return open_graph([path], threads=1), graph_inputs(model, path)


IDS: Value = ("ids", "INT64", ["n", "t"])
ANY_Y: Value = ("y", "FLOAT", None)
TABLE = np.arange(20, dtype=np.float32).reshape(10, 2)
LOOK_UP = graph(
    [node("Gather", "table ids", "y")],
    [("ids", "INT64", ["n", "t"])],
    [("y", "FLOAT", ["n", "t", 2])],
    {"table": TABLE},
)


def test_what_is_looked_up_in_a_table_stays_within_it(tmp_path: Path) -> None:
    run, inputs = opened(LOOK_UP, tmp_path)
    draw = find_draw(run, LOOK_UP, inputs)
    assert isinstance(draw, Draw)
    assert draw.limits == {"ids": 10}
    assert guessed_numbers(inputs, draw) == []
    ids = np.concatenate([draw.inputs(inputs, seed)["ids"].ravel() for seed in range(40)])
    assert set(ids.tolist()) == set(range(10))


def test_a_table_is_found_behind_what_hands_the_indices_on() -> None:
    nodes = [
        node("Cast", "ids", "wide", to=onnx.TensorProto.INT64),
        node("Unsqueeze", "wide one", "u"),
        node("Gather", "table u", "y", axis=1),
    ]
    model = graph(nodes, [("ids", "INT32", ["n"])], [("y", "FLOAT", None)], {"table": TABLE, "one": np.array([1])})
    assert index_limits(model) == {"ids": 2}


def test_a_table_whose_weights_lie_in_eight_bits_is_one_too() -> None:
    nodes = [node("Cast", "table", "f", to=1), node("Mul", "f scale", "t"), node("Gather", "t ids", "y")]
    constants = {"table": np.zeros((10, 2), np.int8), "scale": np.ones((10, 1), np.float32)}
    assert index_limits(graph(nodes, [IDS], [ANY_Y], constants)) == {"ids": 10}


def test_ids_are_drawn_as_widely_as_the_graph_takes_them_and_masks_are_not(tmp_path: Path) -> None:
    """A table that is computed, so that nothing says how many rows it has: 50."""
    nodes = [
        node("Range", "zero fifty one", "table"),
        node("Gather", "table ids", "found"),
        node("Cast", "mask", "kept", to=1),
        node("Mul", "found kept", "y"),
    ]
    constants = {name: np.array(value, np.float32) for name, value in (("zero", 0), ("fifty", 50), ("one", 1))}
    model = graph(nodes, [IDS, ("mask", "INT64", ["n", "t"])], [ANY_Y], constants)
    run, inputs = opened(model, tmp_path)
    draw = find_draw(run, model, inputs)
    assert isinstance(draw, Draw)
    assert (draw.number, draw.wide) == (1, {"ids": 8})


def test_a_state_that_is_carried_along_has_as_many_rows_as_what_comes_in(tmp_path: Path) -> None:
    """x [rows, time] and state [2, rows, 3], whose axes nobody named: both have as many rows."""
    nodes = [node("ReduceSum", "x last", "sums", keepdims=1), node("Add", "state sums", "y")]
    inputs: list[Value] = [("x", "FLOAT", [None, None]), ("state", "FLOAT", [2, None, 3])]
    model = graph(nodes, inputs, [("y", "FLOAT", [2, None, 3])], {"last": np.array([1])})
    run, tensors = opened(model, tmp_path)
    draw = find_draw(run, model, tensors)
    assert isinstance(draw, Draw)
    drawn = draw.inputs(tensors, 0)
    assert (drawn["x"].shape, drawn["state"].shape) == ((2, 4), (2, 2, 3))


def test_numbers_of_no_known_range_are_drawn_small_and_named(tmp_path: Path) -> None:
    model = graph([node("TopK", "x k", "y places")], [("x", "FLOAT", ["n", 3]), ("k", "INT64", [1])],
                  [("y", "FLOAT", ["n", "k"]), ("places", "INT64", ["n", "k"])])  # fmt: skip
    run, inputs = opened(model, tmp_path)
    draw = find_draw(run, model, inputs)
    assert isinstance(draw, Draw)
    assert int(draw.inputs(inputs, 0)["k"][0]) == 1
    assert guessed_numbers(inputs, draw) == ["k"]


def test_a_number_that_is_divided_by_is_not_0(tmp_path: Path) -> None:
    """A step of 0 would end the process: ONNX Runtime 1.32 does not look at it."""
    model = graph(
        [node("STFT", "signal step window", "y", onesided=1)],
        [("signal", "FLOAT", [1, 128, 1]), ("step", "INT64", [])],
        [ANY_Y],
        {"window": np.ones(16, np.float32)},
    )
    run, inputs = opened(model, tmp_path)
    draw = find_draw(run, model, inputs)
    assert isinstance(draw, Draw)
    assert {int(draw.inputs(inputs, seed)["step"]) for seed in range(20)} == {1}


def test_axes_of_one_name_have_one_size_and_others_grow_until_the_graph_takes_them(tmp_path: Path) -> None:
    """A convolution with a kernel of 20 x 20: sizes below it fail."""
    model = graph(
        [node("Conv", "x w", "y")],
        [("x", "FLOAT", ["n", 1, "side", "side"])],
        [("y", "FLOAT", ["n", 1, None, None])],
        {"w": np.ones((1, 1, 20, 20), np.float32)},
    )
    run, inputs = opened(model, tmp_path)
    draw = find_draw(run, model, inputs)
    assert isinstance(draw, Draw)
    assert draw.inputs(inputs, 0)["x"].shape == (2, 1, 32, 32)
    assert larger(run, draw, inputs).inputs(inputs, 0)["x"].shape == (2, 1, 64, 64)


def test_a_graph_that_takes_nothing_that_was_tried_says_how_it_failed(tmp_path: Path) -> None:
    model = graph(
        [node("Reshape", "x shape", "y", name="fold")],
        [("x", "FLOAT", [7]), ("shape", "INT64", [2])],
        [("y", "FLOAT", None)],
    )
    run, tensors = opened(model, tmp_path)
    failure = find_draw(run, model, tensors)
    assert isinstance(failure, GraphFailure)
    assert (failure.op, failure.node) == ("Reshape", "fold")
    assert str(failure).startswith("node fold (Reshape): ")
    assert "/onnxruntime" not in str(failure)


def test_a_graph_with_room_for_no_machine_is_not_tried(tmp_path: Path) -> None:
    model = graph([node("Relu", "x", "y")], [("x", "FLOAT", [2**20, 2**20])], [("y", "FLOAT", [2**20, 2**20])])
    run, inputs = opened(model, tmp_path)
    failure = find_draw(run, model, inputs)
    assert isinstance(failure, GraphFailure)
    assert "1099511627776 values" in failure.words


TENSORS = st.builds(
    GraphTensor,
    st.sampled_from("abc"),
    st.sampled_from([BYTES, *DTYPES]),
    st.lists(st.integers(0, 3) | st.sampled_from(["n", "t"]), max_size=3).map(tuple),
)


@given(TENSORS, st.integers(1, 3), st.integers(1, 4), st.sampled_from([0, 1, 2, 8]), st.integers(0, 300))
def test_any_datatype_and_shape_is_drawn_alike_for_the_same_seed(
    tensor: GraphTensor, rows: int, size: int, number: int, limit: int
) -> None:
    draw = Draw(rows, size, number, {tensor.name: limit} if limit % 2 else {})
    first, again = (draw.inputs([tensor], seed=3)[tensor.name] for _ in range(2))
    assert datatype_of(first) == tensor.datatype
    assert first.tolist() == again.tolist()
    sizes = {"n": size, "t": size} | ({tensor.first: rows} if tensor.first else {})
    assert first.shape == tuple(sizes.get(axis, axis) for axis in tensor.axes or ())
    if first.dtype.kind in "iu" and first.size:
        assert int(first.min()) >= 0
        assert int(first.max()) < max(limit if limit % 2 else number, 2)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (
            "[ONNXRuntimeError] : 2 : INVALID_ARGUMENT : Invalid rank for input: x Got: 3 Expected: 2",
            "Invalid rank for input: x Got: 3 Expected: 2",
        ),
        (
            "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running Add node. Name:'' Status "
            "Message: /onnxruntime_src/onnxruntime/core/x.cc:91 void onnxruntime::F(const A&, bool) axis was false.",
            "node (without a name) (Add): axis was false.",
        ),
        (
            "[ONNXRuntimeError] : 1 : FAIL : Non-zero status code returned while running If node. Name:'outer' Status "
            "Message: Non-zero status code returned while running Pad node. Name:'inner' Status Message: too long",
            "node inner (Pad): too long",
        ),
        ("", "RuntimeError"),
    ],
)
def test_what_the_runtime_says_is_shown_without_places_in_its_source(said: str, shown: str) -> None:
    assert str(graph_failure(RuntimeError(said))) == shown


def test_an_unnamed_axis_equals_no_other() -> None:
    model = graph(
        [node("Add", "a b", "y")],
        [("a", "FLOAT", [None, 2]), ("b", "FLOAT", [None, 2])],
        [("y", "FLOAT", None)],
    )
    first, second = graph_inputs(model, Path("model.onnx"))
    assert first.first != second.first
    assert first.shape == second.shape == (-1, 2)
