"""Small ONNX files for tests, said in a line or two."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import helper, numpy_helper

Value = tuple[str, str, Sequence[int | str | None] | None]  # name, element type, shape
FLOAT_X: Value = ("x", "FLOAT", ["rows"])


def value(name: str, element: str, shape: Sequence[int | str | None] | None) -> onnx.ValueInfoProto:
    return helper.make_tensor_value_info(name, onnx.TensorProto.DataType.Value(element), shape)


def graph(
    nodes: Sequence[onnx.NodeProto],
    inputs: Sequence[Value | onnx.ValueInfoProto],
    outputs: Sequence[Value | onnx.ValueInfoProto],
    constants: dict[str, np.ndarray] | None = None,
    *,
    opsets: dict[str, int] | None = None,
    functions: Sequence[onnx.FunctionProto] = (),
) -> onnx.ModelProto:
    made = helper.make_graph(
        list(nodes),
        "test",
        [each if isinstance(each, onnx.ValueInfoProto) else value(*each) for each in inputs],
        [each if isinstance(each, onnx.ValueInfoProto) else value(*each) for each in outputs],
        [numpy_helper.from_array(array, name) for name, array in (constants or {}).items()],
    )
    imports = [helper.make_opsetid(domain, version) for domain, version in ({"": 20} | (opsets or {})).items()]
    return helper.make_model(made, opset_imports=imports, ir_version=10, functions=functions)


def node(op: str, inputs: str, outputs: str, **attributes: Any) -> onnx.NodeProto:
    """Names with spaces between them; `name` and `domain` are those of the node."""
    return helper.make_node(op, inputs.split(" ") if inputs else [], outputs.split(" "), **attributes)


def endless() -> onnx.ModelProto:
    """`y`: what comes out of a Loop that goes on while x is above 0."""
    body = helper.make_graph(
        [node("Identity", "so_far", "again"), node("Greater", "x zero", "on")],
        "body",
        [value("step", "INT64", []), value("go", "BOOL", []), value("so_far", "FLOAT", [])],
        [value("on", "BOOL", []), value("again", "FLOAT", [])],
    )
    nodes = [node("Greater", "x zero", "start"), helper.make_node("Loop", ["", "start", "x"], ["y"], body=body)]
    return graph(nodes, [("x", "FLOAT", [])], [("y", "FLOAT", [])], {"zero": np.array(0, np.float32)})


def saved(model: onnx.ModelProto, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(model.SerializeToString())
    return path
