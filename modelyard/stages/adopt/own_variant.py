"""The one variant of the package of an .onnx file: the graph as it is, and how it is tried."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput, Damaged
from modelyard.runtimes.apart import GraphApart
from modelyard.stages.adopt.graph_files import copy_graph

if TYPE_CHECKING:
    import onnx

REQUIRES = {"onnxruntime": "1.20"}
FLOAT, INT8 = "float", "int8"
LOW_PRECISION = {"QLinearMatMul", "MatMulInteger", "DynamicQuantizeLinear", "DequantizeLinear", "MatMulNBits"}
LARGE = 4096  # elements from which on an eight-bit constant is a weight, not a table


def quantised(proto: onnx.ModelProto) -> bool:
    """Whether its weights are eight bits or fewer."""
    import onnx

    small = {
        getattr(onnx.TensorProto, name)
        for name in ("INT8", "UINT8", "INT4", "UINT4")
        if hasattr(onnx.TensorProto, name)
    }
    if any(node.op_type in LOW_PRECISION or node.op_type.startswith("QLinear") for node in proto.graph.node):
        return True
    return any(tensor.data_type in small and math.prod(tensor.dims) >= LARGE for tensor in proto.graph.initializer)


def opset(proto: onnx.ModelProto) -> int:
    """Of ONNX's own operators; 0 where the graph has none of them."""
    return max((entry.version for entry in proto.opset_import if entry.domain in ("", "ai.onnx")), default=0)


def copy_variant(path: Path, folder: Path, *, eight_bits: bool, most: int) -> dict[str, Any]:
    """Copy the graph into a package, at most `most` bytes; its line in package.json, but for the tolerance."""
    name = INT8 if eight_bits else FLOAT
    files = copy_graph(path, folder / "variants" / name, most)
    return {
        "name": name,
        "runtime": "onnxruntime",
        "requires": REQUIRES,
        "graphs": {"model": {"format": "onnx", "files": [file.relative_to(folder).as_posix() for file in files]}},
    }


def tried(folder: Path, variant: dict[str, Any], path: Path, *, threads: int, limit_s: float) -> GraphApart:
    """The copied graph, open in a process of its own. Raises BadInput that names what is wrong with it."""
    files = [folder / file for file in variant["graphs"]["model"]["files"]]
    try:
        return GraphApart(files, threads, limit_s)
    except Damaged as error:
        words = error.message.removeprefix(f"{files[0].name} does not open in ONNX Runtime: ")
        raise BadInput(
            f"{path.name} does not open in ONNX Runtime: {words}",
            where=str(path),
            next="bring an opset older than 7 up: onnx.version_converter.convert_version(model, 20); or pip install -U "
            "onnxruntime; or see what onnx.checker.check_model(path, full_check=True) says",
        ) from error
