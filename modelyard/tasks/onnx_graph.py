"""PyTorch to ONNX, the same bytes from any machine and folder: what the exports of all tasks share."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import onnx
    import torch

OPSET = 20
# A protobuf file ends at 2 GiB; larger weights lie beside the graph.
EXTERNAL_BYTES = 1_500_000_000
# Smaller tensors stay in the graph.
SIZE_THRESHOLD = 1024
GRAPH = "variants/float/model.onnx"


def traced(
    module: torch.nn.Module,
    sample: Sequence[torch.Tensor],
    inputs: Sequence[str],
    outputs: Sequence[str],
    dynamic_shapes: Any,
) -> onnx.ModelProto:
    """The graph of a module that is called with tensors by position, doc strings and paths taken out.

    A model that was left in training mode is put to eval: an export with dropout in it is wrong in silence.
    """
    import torch

    module.eval()
    with _quiet_exporter(), torch.inference_mode(False), torch.no_grad():
        program = torch.onnx.export(
            module,
            tuple(sample),
            dynamo=True,
            opset_version=OPSET,
            input_names=list(inputs),
            output_names=list(outputs),
            dynamic_shapes=dynamic_shapes,
            verbose=False,
        )
    assert program is not None
    proto: onnx.ModelProto = program.model_proto
    strip(proto)
    return proto


def write_graph(proto: onnx.ModelProto, path: Path, weight_bytes: int) -> list[str]:
    """Write it, weights that do not fit into it beside it; answers the names of the files, the graph's first."""
    import onnx

    path.parent.mkdir(parents=True, exist_ok=True)
    if weight_bytes > EXTERNAL_BYTES:
        weights = f"{path.name}.data"
        onnx.save_model(proto, path, save_as_external_data=True, location=weights, size_threshold=SIZE_THRESHOLD)
        return [path.name, weights]
    path.write_bytes(proto.SerializeToString(deterministic=True))
    return [path.name]


@contextlib.contextmanager
def _quiet_exporter() -> Iterator[None]:
    """The exporter prints its steps and warns about its own internals; what matters is checked by the parity gate."""
    log = logging.getLogger("torch.onnx")
    level = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)


def strip(proto: onnx.ModelProto) -> None:
    """Remove doc strings and metadata_props everywhere: the exporter writes stack traces with paths into them."""
    proto.producer_version = ""
    for message in messages(proto):
        for name in ("doc_string", "metadata_props"):
            if name in message.DESCRIPTOR.fields_by_name:
                message.ClearField(name)


def messages(message: Any) -> Iterator[Any]:
    """A protobuf message and every message below it."""
    yield message
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for child in value if field.is_repeated else (value,):
            yield from messages(child)


def describe(proto: onnx.ModelProto) -> dict[str, Any]:
    """The graph in V2 terms: {"inputs": [...], "outputs": [...]}, -1 for a free axis."""
    import onnx

    kinds = onnx.TensorProto
    names = {kinds.INT64: "INT64", kinds.INT32: "INT32", kinds.FLOAT: "FP32", kinds.UINT8: "UINT8"}

    def shown(value: Any) -> dict[str, Any]:
        kind = value.type.tensor_type
        shape = [axis.dim_value if axis.HasField("dim_value") else -1 for axis in kind.shape.dim]
        return {"name": value.name, "datatype": names[kind.elem_type], "shape": shape}

    return {"inputs": [shown(v) for v in proto.graph.input], "outputs": [shown(v) for v in proto.graph.output]}
