"""Whether the first axis of a graph is one of rows: tried at 1, 2 and 5 rows, never believed.

A graph may say that its first axis is free while it holds the number 1 inside; one that answers several rows may let
them see each other (a softmax over the wrong axis, one scale for all of them). Only rows that are answered as they are
alone may be run together with those of other requests.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.errors import BadInput
from modelyard.runtimes.golden import compare
from modelyard.runtimes.graph_failure import GraphFailure, graph_failure
from modelyard.stages.adopt.graph_tensors import GraphTensor, Shapes
from modelyard.stages.adopt.onnx_checks import node_name, nodes
from modelyard.tasks.pipeline import Graph, Tensors

if TYPE_CHECKING:
    import onnx

ROWS = (1, 2, 5)
# float32 sums in another order in a batch than alone: a share of the largest value of an output.
ALIKE = 1e-4


@dataclass(frozen=True)
class BatchAxis:
    """rows: whether there is one; why: what speaks against it, empty when the graph says itself that there is none;
    answers: shapes of what was answered on the way."""

    rows: bool
    why: str
    answers: tuple[Shapes, ...] = ()


def find_batch_axis(
    graph: Graph,
    proto: onnx.ModelProto,
    inputs: Sequence[GraphTensor],
    outputs: Sequence[GraphTensor],
    given: Callable[[int], Tensors],
    *,
    more_rows_ran: bool,
    path: Path,
) -> BatchAxis:
    """given: inputs of so many rows; more_rows_ran: whether the graph has been seen to run on more than one.

    Raises BadInput, with the node, for a graph that says that its first axis is free but works at 1 only.
    """
    if any(tensor.first is None for tensor in inputs):
        return BatchAxis(False, "")
    fed = {rows: given(rows) for rows in ROWS}
    answers: dict[int, Tensors] = {}
    failures: dict[int, GraphFailure] = {}
    for rows, feeds in fed.items():
        try:
            answers[rows] = graph.run(feeds)
        except Exception as error:  # every runtime has classes of its own
            failures[rows] = graph_failure(error)
    names = {str(tensor.first) for tensor in inputs}
    if set(answers) == {1} and len(names) == 1 and not more_rows_ran:
        raise _one_inside(path, names, f"at 2 it fails: {failures[2]}")
    seen = tuple({name: array.shape for name, array in answer.items()} for answer in answers.values())
    if failures:
        rows, failure = next(iter(failures.items()))
        return BatchAxis(False, f"at a first axis of {rows} it fails: {failure}", seen)
    for output in outputs:
        shapes = {rows: answer[output.name].shape for rows, answer in answers.items()}
        if any(shape[:1] != (rows,) for rows, shape in shapes.items()):
            if len(names) == 1 and _flattened(output, shapes, names):
                maker = _maker(proto, output.name)
                said = [axis if isinstance(axis, int) else "free" for axis in output.axes or ()]
                what = f"its output {output.name}, said to be {said}, is {list(shapes[2])} at 2 ({maker})"
                raise _one_inside(path, names, what)
            return BatchAxis(False, f"its output {output.name} is {list(shapes[5])} at a first axis of 5", seen)
    why = _shared_scale(proto) or _seeing_each_other(graph, fed, answers)
    return BatchAxis(not why, why, seen)


def _one_inside(path: Path, names: set[str], what: str) -> BadInput:
    return BadInput(
        f"{path.name} says that its first axis ({', '.join(names)}) is free, but works at 1 only: {what}",
        where=str(path),
        next="export it again with 2 sample rows, without int(x.shape[0]) in the model; or with a fixed first axis",
    )


def _flattened(output: GraphTensor, shapes: Mapping[int, tuple[int, ...]], names: set[str]) -> bool:
    """Whether all rows end up as one, against what the graph says of this output."""
    if any(len(shape) < 1 or shape[0] != 1 for shape in shapes.values()):
        return False
    if output.first in names:
        return True
    if any(math.prod(shapes[rows]) != rows * math.prod(shapes[1]) for rows in ROWS):
        return False
    if output.axes is None or len(output.axes) != len(shapes[2]):
        return False
    return any(isinstance(axis, int) and axis != size for axis, size in zip(output.axes, shapes[2], strict=True))


def _maker(proto: onnx.ModelProto, name: str) -> str:
    node = next((node for node in proto.graph.node if name in node.output), None)
    return "an input" if node is None else f"node {node_name(node)}, {node.op_type}"


def _shared_scale(proto: onnx.ModelProto) -> str:
    """The operator that spreads eight bits over the values of all rows: random rows may be too alike to show it."""
    found = next((node for node in nodes(proto) if node.op_type.startswith("DynamicQuantize")), None)
    return "" if found is None else f"node {node_name(found)} ({found.op_type}) spreads eight bits over all rows"


def _seeing_each_other(graph: Graph, fed: Mapping[int, Tensors], answers: Mapping[int, Tensors]) -> str:
    """What of several rows' answer is another one when each is asked alone; empty when nothing is."""
    for rows in ROWS[1:]:
        for row in range(rows):
            try:
                alone = graph.run({name: array[row : row + 1] for name, array in fed[rows].items()})
            except Exception as error:  # every runtime has classes of its own
                return f"alone, row {row} of {rows} fails: {graph_failure(error)}"
            for name, array in answers[rows].items():
                gap, _, why = compare({name: array[row : row + 1]}, {name: alone[name]}, "none")
                if why:
                    return f"when other rows are beside it, {why}"
                if gap > ALIKE:
                    return f"a row's {name} differs by {gap:.3g} of its largest value when other rows are beside it"
    return ""
