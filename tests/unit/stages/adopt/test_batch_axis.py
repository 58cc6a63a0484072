from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
import pytest

from modelyard.errors import BadInput
from modelyard.runtimes.onnxruntime import open_graph
from modelyard.stages.adopt.batch_axis import BatchAxis, find_batch_axis
from modelyard.stages.adopt.graph_tensors import graph_inputs, graph_outputs, observed
from modelyard.stages.adopt.random_inputs import Draw, find_draw
from modelyard.tasks.pipeline import Tensors
from tests.graphs import Value, graph, node, saved

ROWS: Value = ("x", "FLOAT", ["batch", 3])
WEIGHTS = {"w": np.arange(6, dtype=np.float32).reshape(3, 2)}


def found(model: onnx.ModelProto, folder: Path) -> BatchAxis:
    path = saved(model, folder / "model.onnx")
    run = open_graph([path], threads=1)
    inputs, outputs = graph_inputs(model, path), graph_outputs(model, path)
    draw = find_draw(run, model, inputs)
    assert isinstance(draw, Draw)
    of_rows: Callable[[int], Tensors] = lambda rows: replace(draw, rows=rows).inputs(inputs, seed=rows)  # noqa: E731
    return find_batch_axis(run, model, inputs, outputs, of_rows, more_rows_ran=draw.rows > 1, path=path)


def test_rows_that_are_answered_as_they_are_alone_are_a_batch(tmp_path: Path) -> None:
    model = graph([node("MatMul", "x w", "y")], [ROWS], [("y", "FLOAT", ["batch", 2])], WEIGHTS)
    axis = found(model, tmp_path)
    assert (axis.rows, axis.why) == (True, "")
    assert [shapes["y"] for shapes in axis.answers] == [(1, 2), (2, 2), (5, 2)]


@pytest.mark.parametrize(
    ("nodes", "outputs", "why"),
    [
        ([node("Softmax", "x", "y", axis=0)], [("y", "FLOAT", ["batch", 3])], "a row's y differs by"),
        ([node("ReduceSum", "x", "y", keepdims=0)], [("y", "FLOAT", [])], "its output y is [] at a first axis of 5"),
        ([node("Transpose", "x", "y")], [("y", "FLOAT", [3, "batch"])], "its output y is [3, 5] at a first axis of 5"),
        ([node("NonZero", "x", "y")], [("y", "INT64", [2, "n"])], "its output y is [2, 15] at a first axis of 5"),
        ([node("MatMul", "xt x", "y"), node("Transpose", "x", "xt")][::-1], [("y", "FLOAT", [3, 3])], "is [3, 3] at"),
        # All rows share the scale that eight bits are spread over.
        ([node("DynamicQuantizeLinear", "x", "q s z"), node("DequantizeLinear", "q s z", "y")],
         [("y", "FLOAT", ["batch", 3])], "node that makes q (DynamicQuantizeLinear) spreads eight bits over all rows"),
    ],
)  # fmt: skip
def test_rows_that_see_each_other_or_are_not_answered_row_by_row_are_none(
    tmp_path: Path, nodes: list[onnx.NodeProto], outputs: list[Value], why: str
) -> None:
    axis = found(graph(nodes, [ROWS], outputs), tmp_path)
    assert not axis.rows
    assert why in axis.why


def test_a_fixed_first_axis_is_none_and_nothing_speaks_of_it(tmp_path: Path) -> None:
    model = graph([node("Relu", "x", "y")], [("x", "FLOAT", [1, 3])], [("y", "FLOAT", [1, 3])])
    assert found(model, tmp_path) == BatchAxis(False, "")


def fold(shape: list[int]) -> dict[str, np.ndarray]:
    return {"shape": np.array(shape), **WEIGHTS}


@pytest.mark.parametrize(
    ("nodes", "constants", "output", "what"),
    [
        ([node("Reshape", "x shape", "y", name="fold")], fold([1, 3]), ("y", "FLOAT", ["batch", 3]),
         "node fold (Reshape)"),
        # The rows end up in one, and the multiplication behind it does not fit.
        ([node("Reshape", "x shape", "r"), node("MatMul", "r w", "y", name="head")], fold([1, -1]),
         ("y", "FLOAT", ["batch", 2]), "node head (MatMul)"),
        # It runs at 2, and answers one row.
        ([node("Reshape", "x shape", "y", name="fold")], fold([1, -1]), ("y", "FLOAT", ["batch", 3]),
         "its output y, said to be ['free', 3], is [1, 6] at 2 (node fold, Reshape)"),
        # As many rows are promised by name, and one comes.
        ([node("Reshape", "x shape", "r"), node("ReduceMax", "r last", "y", name="max", keepdims=0)],
         {**fold([1, -1]), "last": np.array([1])}, ("y", "FLOAT", ["batch"]),
         "its output y, said to be ['free'], is [1] at 2 (node max, ReduceMax)"),
        ([node("Reshape", "x shape", "y", name="fold")], fold([1, -1]), ("y", "FLOAT", [1, 3]),
         "its output y, said to be [1, 3], is [1, 6] at 2 (node fold, Reshape)"),
    ],
)  # fmt: skip
def test_a_graph_that_says_its_first_axis_is_free_and_works_at_1_only_is_refused_by_its_node(
    tmp_path: Path, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], output: Value, what: str
) -> None:
    with pytest.raises(BadInput) as caught:
        found(graph(nodes, [ROWS], [output], constants), tmp_path)
    assert "says that its first axis (batch) is free, but works at 1 only" in caught.value.message
    assert what in caught.value.message
    assert caught.value.next


def test_a_sequence_that_becomes_one_row_as_it_says_is_no_fault(tmp_path: Path) -> None:
    """x [time, 3] to y [1, time, 3]: the first axis is none of rows, and nothing was promised."""
    model = graph(
        [node("Unsqueeze", "x zero", "y")],
        [("x", "FLOAT", ["time", 3])],
        [("y", "FLOAT", [1, "time", 3])],
        {"zero": np.array([0])},
    )
    axis = found(model, tmp_path)
    assert not axis.rows
    assert axis.why == "its output y is [1, 5, 3] at a first axis of 5"


def test_two_inputs_of_different_first_axes_are_no_promise(tmp_path: Path) -> None:
    """A matrix product: the first axis of b must be the second of a, whatever a is fed."""
    model = graph(
        [node("MatMul", "a b", "y")], [("a", "FLOAT", ["m", 4]), ("b", "FLOAT", ["k", 2])], [("y", "FLOAT", ["m", 2])]
    )
    axis = found(model, tmp_path)
    assert not axis.rows
    assert "(MatMul)" in axis.why


def test_what_a_graph_says_of_its_outputs_is_held_against_what_it_answers() -> None:
    declared = graph_outputs(
        graph([], [], [("y", "FLOAT", ["n", 3]), ("z", "FLOAT", [4]), ("u", "INT64", None)]), Path("m.onnx")
    )
    answers = [{"y": (2, 3), "z": (4,), "u": (1, 2)}, {"y": (3, 3), "z": (5,), "u": (2, 2)}]
    assert observed(declared, answers) == {"y": (-1, 3), "z": (-1,), "u": (-1, -1)}
    assert observed(declared, [{"y": (2, 3), "z": (2, 2), "u": ()}]) == {"y": (-1, 3), "z": (-1, -1), "u": ()}
