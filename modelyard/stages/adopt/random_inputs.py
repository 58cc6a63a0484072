"""Inputs for a graph that nobody gave any for: seeded, of its own shapes, of values that it takes."""

from __future__ import annotations

import itertools
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

import numpy as np

from modelyard.runtimes.graph_failure import GraphFailure, graph_failure
from modelyard.stages.adopt.graph_tensors import GraphTensor
from modelyard.tasks.pipeline import Array, Graph, Tensors
from modelyard.tasks.tensor.datatypes import BYTES, DTYPES

if TYPE_CHECKING:
    import onnx

# Sizes of free axes, tried in this order: sequences and tables take any, images want powers of two.
SIZES = (4, 8, 16, 1, 2, 3, 32, 64, 128, 224, 256, 512)
ROWS = (2, 1)  # of first axes; then as large as the others, of pictures fewer
MOST_PICTURES = 64
# Whole numbers are all 1, or all 0, or drawn from 0 to below this: as indices, lengths or flags they must be small. 1
# comes first: ONNX Runtime divides by some of them (the step of an STFT), and a 0 there ends the whole process.
NUMBERS = (1, 2, 0, 8)
MOST_ELEMENTS = 1 << 25  # of all inputs together
WIDE = (100, 8)
LIMIT_S = 60.0
WORDS = ("a", "be", "cat", "data", "0", "1", "12", "café", "数据", "")
# Operators behind which a table is still the table, its weights in more bits.
SCALING = {"Cast", "DequantizeLinear", "Mul"}
# Operators that hand their first input on as it is, as far as indices go.
PASSING = {"Cast", "Identity", "Reshape", "Squeeze", "Unsqueeze", "Flatten", "Transpose"}


@dataclass(frozen=True)
class Draw:
    """How inputs are drawn. rows: of free first axes; size: of other free axes; number: see NUMBERS; limits: input ->
    the number of rows of the table that it looks up in; wide: what other inputs take more numbers than `number`;
    inner_rows: whether free axes in the middle are of rows too (a state that is carried along, say)."""

    rows: int
    size: int
    number: int
    limits: Mapping[str, int]
    wide: Mapping[str, int] = field(default_factory=dict)
    inner_rows: bool = False

    def shapes(self, tensors: Sequence[GraphTensor]) -> dict[str, tuple[int, ...]]:
        """Of every input; axes of one name have one size."""
        sizes = {tensor.first: self.rows for tensor in tensors if tensor.first is not None}
        if self.inner_rows:
            inner = [axis for tensor in tensors for axis in (tensor.axes or ())[:-1] if isinstance(axis, str)]
            sizes |= dict.fromkeys(inner, self.rows)
        return {
            tensor.name: tuple(a if isinstance(a, int) else sizes.get(a, self.size) for a in tensor.axes or ())
            for tensor in tensors
        }

    def inputs(self, tensors: Sequence[GraphTensor], seed: int) -> Tensors:
        """The same for the same seed, on any machine."""
        random = np.random.default_rng(seed)
        shapes = self.shapes(tensors)
        return {tensor.name: self._values(tensor, shapes[tensor.name], random) for tensor in tensors}

    def _values(self, tensor: GraphTensor, shape: tuple[int, ...], random: np.random.Generator) -> Array:
        if tensor.datatype == BYTES:
            words: Array = np.empty(shape, dtype=object)
            words.ravel()[:] = [WORDS[place] for place in random.integers(0, len(WORDS), words.size)]
            return words
        dtype = DTYPES[tensor.datatype]
        if dtype.kind == "f":
            return np.asarray(random.standard_normal(shape)).astype(dtype)
        if dtype.kind == "b":
            return np.asarray(random.integers(0, 2, shape)).astype(dtype)
        limit = self.limits.get(tensor.name, self.wide.get(tensor.name))
        if limit is not None:
            most = max(1, min(limit, int(np.iinfo(dtype).max)))
            return np.asarray(random.integers(0, most, shape)).astype(dtype)
        if self.number < 2:
            return np.full(shape, self.number, dtype=dtype)
        return np.asarray(random.integers(0, self.number, shape)).astype(dtype)


def find_draw(graph: Graph, proto: onnx.ModelProto, tensors: Sequence[GraphTensor]) -> Draw | GraphFailure:
    """The first way to draw inputs that the graph runs on; else how it failed at first."""
    started = time.monotonic()
    failure: GraphFailure | None = None
    for draw in _draws(tensors, index_limits(proto)):
        elements = sum(map(math.prod, draw.shapes(tensors).values()))
        if elements > MOST_ELEMENTS:
            failure = failure or GraphFailure(f"its inputs hold {elements} values, which is more than are drawn")
            continue
        failed = failure_of(graph, draw.inputs(tensors, seed=0))
        if failed is None:
            return _widened(graph, draw, tensors)
        failure = failure or failed
        if time.monotonic() - started > LIMIT_S:
            break
    assert failure is not None
    return failure


def _widened(graph: Graph, draw: Draw, tensors: Sequence[GraphTensor]) -> Draw:
    """More numbers for what may be ids, when the graph takes them: of two alone every row looks like the others.

    What has no free axis may be a size or a flag, and what is called a mask holds 0 and 1."""
    guessed = guessed_numbers(tensors, draw)
    for tensor in tensors:
        free = len(tensor.axes or ()) > 1 and any(isinstance(axis, str) for axis in tensor.axes or ())
        if tensor.name not in guessed or not free or "mask" in tensor.name.lower():
            continue
        for number in WIDE:
            wider = replace(draw, wide={**draw.wide, tensor.name: number})
            if all(failure_of(graph, wider.inputs(tensors, seed)) is None for seed in (0, 1)):
                draw = wider
                break
    return draw


def larger(graph: Graph, draw: Draw, tensors: Sequence[GraphTensor]) -> Draw:
    """Twice the size of free axes, when the graph takes that too, so that a golden set holds more than one shape."""
    twice = replace(draw, size=2 * draw.size)
    if sum(map(math.prod, twice.shapes(tensors).values())) > MOST_ELEMENTS:
        return draw
    return twice if failure_of(graph, twice.inputs(tensors, seed=0)) is None else draw


def failure_of(graph: Graph, inputs: Tensors) -> GraphFailure | None:
    try:
        graph.run(inputs)
    except Exception as error:  # every runtime has classes of its own
        return graph_failure(error)
    return None


def guessed_numbers(tensors: Sequence[GraphTensor], draw: Draw) -> list[str]:
    """Inputs of whole numbers whose range nothing in the graph says."""
    return [t.name for t in tensors if t.datatype.lstrip("U").startswith("INT") and t.name not in draw.limits]


def _draws(tensors: Sequence[GraphTensor], limits: Mapping[str, int]) -> Iterator[Draw]:
    """Each way once: what makes no difference to these tensors is not tried again."""
    firsts = {tensor.first for tensor in tensors if tensor.first is not None}
    others = {axis for tensor in tensors for axis in tensor.axes or () if isinstance(axis, str)} - firsts
    inner = {axis for tensor in tensors for axis in (tensor.axes or ())[1:-1] if isinstance(axis, str)} - firsts
    most_rows = MOST_PICTURES if any(len(t.axes or ()) > 2 for t in tensors if t.first is not None) else max(SIZES)
    numbers = NUMBERS if guessed_numbers(tensors, Draw(1, 1, 2, limits)) else NUMBERS[:1]
    tried = set()
    for size in SIZES if firsts | others else SIZES[:1]:
        for rows in (*ROWS, min(size, most_rows)) if firsts else ROWS[:1]:
            for inner_rows, number in itertools.product((False, True) if inner else (False,), numbers):
                way = (rows if firsts else 0, size if others else 0, inner_rows, number)
                if way not in tried:
                    tried.add(way)
                    yield Draw(rows, size, number, limits, inner_rows=inner_rows)


def index_limits(proto: onnx.ModelProto) -> dict[str, int]:
    """Inputs that are looked up in a table of the graph (an embedding) -> the rows of that table."""
    tables = {tensor.name: list(tensor.dims) for tensor in proto.graph.initializer}
    origin = {value.name: value.name for value in proto.graph.input if value.name not in tables}
    limits: dict[str, int] = {}
    for node in proto.graph.node:
        if node.op_type in SCALING and all(name in tables for name in node.input):
            tables[node.output[0]] = max((tables[name] for name in node.input), key=math.prod)
        if node.op_type in PASSING and node.input and node.input[0] in origin:
            origin[node.output[0]] = origin[node.input[0]]
        if node.op_type == "Gather" and node.input[0] in tables and node.input[1] in origin:
            axis = next((attribute.i for attribute in node.attribute if attribute.name == "axis"), 0)
            rows = int(tables[node.input[0]][axis])
            name = origin[node.input[1]]
            limits[name] = min(rows, limits.get(name, rows))
    return limits
