"""The inputs and outputs of a graph in the protocol's terms, and what of them it cannot carry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.errors import BadInput
from modelyard.tasks.tensor.datatypes import BYTES, MAX_NAME

if TYPE_CHECKING:
    import onnx

# Element type of ONNX -> datatype of the protocol. What is left out (BFLOAT16, COMPLEX64, FLOAT8..., INT4, ...) no V2
# client can send, and NumPy has no type for most of it.
DATATYPES = {
    "BOOL": "BOOL",
    "UINT8": "UINT8",
    "UINT16": "UINT16",
    "UINT32": "UINT32",
    "UINT64": "UINT64",
    "INT8": "INT8",
    "INT16": "INT16",
    "INT32": "INT32",
    "INT64": "INT64",
    "FLOAT16": "FP16",
    "FLOAT": "FP32",
    "DOUBLE": "FP64",
    "STRING": BYTES,
}
Axis = int | str  # a fixed size, or the name of a free one


@dataclass(frozen=True)
class GraphTensor:
    """One input or output. axes: None when not even their number is said; two free axes of one name have one size."""

    name: str
    datatype: str
    axes: tuple[Axis, ...] | None

    @property
    def first(self) -> str | None:
        """The name of the first axis, when it is a free one."""
        return self.axes[0] if self.axes and isinstance(self.axes[0], str) else None

    @property
    def shape(self) -> tuple[int, ...] | None:
        """-1 for a free axis."""
        return None if self.axes is None else tuple(axis if isinstance(axis, int) else -1 for axis in self.axes)


def graph_inputs(proto: onnx.ModelProto, path: Path) -> list[GraphTensor]:
    """Those that a request must fill: a default value makes an input none. Raises BadInput that names it."""
    constants = {tensor.name for tensor in proto.graph.initializer}
    constants |= {tensor.values.name for tensor in proto.graph.sparse_initializer}
    inputs = [_tensor(value, "input", path) for value in proto.graph.input if value.name not in constants]
    if not inputs:
        raise BadInput(
            f"the graph of {path.name} has no inputs: it would answer every request with the same",
            where=str(path),
            next="export it with its inputs",
        )
    return inputs


def graph_outputs(proto: onnx.ModelProto, path: Path) -> list[GraphTensor]:
    """Raises BadInput that names the output which no request can be answered with."""
    return [_tensor(value, "output", path) for value in proto.graph.output]


def _tensor(value: onnx.ValueInfoProto, side: str, path: Path) -> GraphTensor:
    import onnx

    kind = value.type.WhichOneof("value") or "tensor_type"
    if kind != "tensor_type":
        raise BadInput(
            f"the {side} {value.name} of {path.name} is of type {_shown(value.type)}: a request holds tensors",
            where=str(path),
            next="export it with tensors only (scikit-learn: options={'zipmap': False}; else ConcatFromSequence)",
        )
    number = value.type.tensor_type.elem_type
    element = onnx.TensorProto.DataType.Name(number) if number in onnx.TensorProto.DataType.values() else str(number)
    if element not in DATATYPES:
        raise BadInput(
            f"the {side} {value.name} of {path.name} is of {element}, which the protocol (V2) has no datatype for",
            where=str(path),
            next=f"export it with a Cast at this {side}: to FLOAT, or another of {', '.join(DATATYPES)}",
        )
    if not value.name or len(value.name) > MAX_NAME:
        raise BadInput(
            f"{path.name} has an {side} with a name of {len(value.name)} characters: 1 to {MAX_NAME} can be asked for",
            where=str(path),
            next="rename it",
        )
    return GraphTensor(value.name, DATATYPES[element], _axes(value))


def _axes(value: onnx.ValueInfoProto) -> tuple[Axis, ...] | None:
    kind = value.type.tensor_type
    if not kind.HasField("shape"):
        return None
    axes: list[Axis] = []
    for place, axis in enumerate(kind.shape.dim):
        if axis.HasField("dim_value") and axis.dim_value >= 0:
            axes.append(axis.dim_value)
        else:
            # Without a name an axis is equal to no other.
            axes.append(axis.dim_param or f"axis {place} of {value.name}")
    return tuple(axes)


def _shown(kind: onnx.TypeProto) -> str:
    """`sequence of maps`, `optional tensor`, as a person says it."""
    match kind.WhichOneof("value"):
        case "sequence_type":
            return f"sequence of {_shown(kind.sequence_type.elem_type)}s"
        case "optional_type":
            return f"optional {_shown(kind.optional_type.elem_type)}"
        case "map_type":
            return "map"
        case "sparse_tensor_type":
            return "sparse tensor"
        case "opaque_type":
            return "opaque value"
    return "tensor"


Shapes = dict[str, tuple[int, ...]]


def observed(declared: Sequence[GraphTensor], answers: Sequence[Shapes]) -> Shapes:
    """Shapes of the outputs (-1 for a free axis) that hold of every answer: what a graph says of them may be wrong.

    answers: of each answer the shapes of its outputs.
    """
    found: Shapes = {}
    for output in declared:
        seen = [answer[output.name] for answer in answers]
        said = output.shape
        if said is None or any(len(shape) != len(said) for shape in seen):
            said = (-1,) * len(seen[0])
        holds = [all(shape[place : place + 1] == (size,) for shape in seen) for place, size in enumerate(said)]
        found[output.name] = tuple(size if held else -1 for size, held in zip(said, holds, strict=True))
    return found
