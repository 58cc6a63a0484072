"""The float graph of a model that reads one text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.tasks.onnx_graph import GRAPH, describe, traced, write_graph
from modelyard.tasks.text.directory import open_prepare

if TYPE_CHECKING:
    import torch

# Two texts of different lengths: an exporter that sees batch 1 may write it into the graph.
SAMPLE_SHAPE = (2, 8)


Forward = Callable[["torch.nn.Module", "Mapping[str, torch.Tensor]"], "Mapping[str, torch.Tensor]"]
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
    """
    import torch

    class ByPosition(torch.nn.Module):
        """Feeds by position to one named output: what the graph has instead of transformers' output object."""

        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, *arrays: torch.Tensor) -> torch.Tensor:
            return forward(self.model, dict(zip(feeds, arrays, strict=True)))[output]

    axes = {0: torch.export.Dim("batch"), 1: torch.export.Dim("sequence")}
    proto = traced(ByPosition(), _sample(feeds), feeds, [output], (tuple(axes for _ in feeds),))
    return write_graph(proto, path, sum(parameter.nbytes for parameter in model.parameters()))


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
