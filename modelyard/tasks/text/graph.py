"""The float graph of a model that reads one text: PyTorch to ONNX, the same bytes from any machine and folder."""

from __future__ import annotations

import contextlib
import io
import logging
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.tasks.text.directory import open_prepare

if TYPE_CHECKING:
    import onnx
    import torch

OPSET = 20
# A protobuf file ends at 2 GiB; larger weights lie beside the graph.
EXTERNAL_BYTES = 1_500_000_000
# Smaller tensors stay in the graph.
SIZE_THRESHOLD = 1024
# Two texts of different lengths: an exporter that sees batch 1 may write it into the graph.
SAMPLE_SHAPE = (2, 8)


Forward = Callable[["torch.nn.Module", "Mapping[str, torch.Tensor]"], "Mapping[str, torch.Tensor]"]
GRAPH = "variants/float/model.onnx"
TOKENIZER = "pipeline/tokenizer.json"


def export_text_graph(
    model: torch.nn.Module, model_folder: Path, package_folder: Path, max_length: int, output: str, forward: Forward
) -> dict[str, Any]:
    """Write the graph and the tokenizer into a package folder; what TrainingTask.export answers of them."""
    import onnx

    _, spec = open_prepare(model_folder, max_length)
    path = package_folder / GRAPH
    files = export_graph(model, spec["feeds"], path, output, forward)
    tokenizer = package_folder / TOKENIZER
    tokenizer.parent.mkdir(parents=True, exist_ok=True)
    tokenizer.write_bytes((model_folder / "tokenizer.json").read_bytes())
    return {
        "graphs": {"model": {"format": "onnx", "files": [(Path(GRAPH).parent / name).as_posix() for name in files]}},
        "pipeline": {"tokenizer": TOKENIZER, **spec},
        "tensor": describe(onnx.load(path, load_external_data=False)),
    }


def export_graph(
    model: torch.nn.Module,
    feeds: Sequence[str],
    path: Path,
    output: str,
    forward: Forward,
) -> list[str]:
    """Write the graph with free batch and sequence axes; answers the names of the files beside each other.

    output: the one of the raw outputs of `forward` that the graph answers.
    A model that was left in training mode is put to eval: an export with dropout in it is wrong in silence.
    """
    import onnx
    import torch

    class ByPosition(torch.nn.Module):
        """Feeds by position to one named output: what the graph has instead of transformers' output object."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *arrays: torch.Tensor) -> torch.Tensor:
            return forward(self.model, dict(zip(feeds, arrays, strict=True)))[output]

    model.eval()
    sample = _sample(feeds)
    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    with _quiet_exporter(), torch.inference_mode(False), torch.no_grad():
        program = torch.onnx.export(
            ByPosition(),
            sample,
            dynamo=True,
            opset_version=OPSET,
            input_names=list(feeds),
            output_names=[output],
            dynamic_shapes=(tuple(axes for _ in feeds),),
            verbose=False,
        )
    assert program is not None
    proto = program.model_proto
    strip(proto)
    path.parent.mkdir(parents=True, exist_ok=True)
    if sum(parameter.nbytes for parameter in model.parameters()) > EXTERNAL_BYTES:
        weights = f"{path.name}.data"
        onnx.save_model(proto, path, save_as_external_data=True, location=weights, size_threshold=SIZE_THRESHOLD)
        return [path.name, weights]
    path.write_bytes(proto.SerializeToString(deterministic=True))
    return [path.name]


def _sample(feeds: Sequence[str]) -> tuple[torch.Tensor, ...]:
    import torch

    batch, length = SAMPLE_SHAPE
    mask = np.ones(SAMPLE_SHAPE, dtype=np.int64)
    mask[1, length // 2 :] = 0
    arrays = {
        "input_ids": np.arange(1, 1 + batch * length, dtype=np.int64).reshape(SAMPLE_SHAPE),
        "attention_mask": mask,
        "token_type_ids": np.zeros(SAMPLE_SHAPE, dtype=np.int64),
    }
    return tuple(torch.from_numpy(arrays[name]) for name in feeds)


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

    def shown(value: Any) -> dict[str, Any]:
        kind = value.type.tensor_type
        shape = [axis.dim_value if axis.HasField("dim_value") else -1 for axis in kind.shape.dim]
        names = {onnx.TensorProto.INT64: "INT64", onnx.TensorProto.FLOAT: "FP32"}
        return {"name": value.name, "datatype": names[kind.elem_type], "shape": shape}

    return {"inputs": [shown(v) for v in proto.graph.input], "outputs": [shown(v) for v in proto.graph.output]}
