"""Static INT8 for graphs of convolutions: scales of the activations are fixed beforehand, on real rows.

At run time, as the dynamic kind does it, finding the scales costs as much as a small convolution saves.
"""

from __future__ import annotations

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.stages.optimize.quantize import quiet, write_bare
from modelyard.tasks.pipeline import Tensors

if TYPE_CHECKING:
    import onnx

# What kernels of eight bits take whole, and what carries eight bits on between them.
OPERATORS = ["Conv", "Relu", "Add", "Resize", "MaxPool"]


def convolves(source: Path) -> bool:
    """Whether most of the weights of the graph are those of convolutions."""
    import onnx

    graph = onnx.load(source, load_external_data=False).graph
    kernels = {node.input[1] for node in graph.node if node.op_type == "Conv"}
    sizes: dict[bool, int] = defaultdict(int)
    for value in graph.initializer:
        size = 1
        for side in value.dims:
            size *= side
        sizes[value.name in kernels] += size
    return sizes[True] > sizes[False]


def quantize_static(
    source: Path, target: Path, rows: Sequence[Tensors], *, reduce_range: bool, weights: str | None = None
) -> None:
    """Write the INT8 graph: per channel, scales by the least and the largest activation over the rows (feeds of one
    item each). The last layers with weights stay float, and all behind them: what they answer is read as it is.

    Other arguments as `quantize` has them.
    """
    import onnx
    from onnxruntime.quantization import CalibrationDataReader, QuantFormat, QuantType
    from onnxruntime.quantization import quantize_static as quantize_with

    graph = onnx.load(source, load_external_data=False).graph
    taken = {value.name for value in graph.input}
    kept_float = last_nodes(graph)

    class Rows(CalibrationDataReader):  # type: ignore[misc]
        def __init__(self) -> None:
            self._rows: Iterator[Tensors] = iter(rows)

        def get_next(self) -> dict[str, Any] | None:
            feeds = next(self._rows, None)
            return None if feeds is None else {name: array for name, array in feeds.items() if name in taken}

    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        draft = Path(folder) / "draft.onnx"
        with quiet():
            quantize_with(
                source,
                draft,
                Rows(),
                quant_format=QuantFormat.QDQ,
                op_types_to_quantize=OPERATORS,
                nodes_to_exclude=kept_float,
                per_channel=True,
                reduce_range=reduce_range,
                activation_type=QuantType.QUInt8,
                weight_type=QuantType.QInt8,
                use_external_data_format=weights is not None,
            )
        write_bare(draft, target, weights)


def last_nodes(graph: onnx.GraphProto) -> list[str]:
    """Names of the nodes behind which no layer with weights comes: no convolution, and no matrix (the head of a
    classifier)."""
    weights = {value.name for value in graph.initializer}
    takers: dict[str, list[Any]] = defaultdict(list)
    for node in graph.node:
        for name in node.input:
            takers[name].append(node)
    before: dict[str, bool] = {}
    # Nodes stand in the order in which they run, so that those behind one are known when it is looked at.
    for node in reversed(graph.node):
        behind = [taker for name in node.output for taker in takers[name]]
        before[node.name] = any(_weighs(taker, weights) or before[taker.name] for taker in behind)
    return [node.name for node in graph.node if not before[node.name]]


def _weighs(node: onnx.NodeProto, weights: set[str]) -> bool:
    return node.op_type in ("Conv", "Gemm", "MatMul") and any(name in weights for name in node.input)
