"""The half of text embedding that needs torch: opening and exporting. It is not trained here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np

from modelyard.errors import BadConfig
from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.text.directory import open_prepare
from modelyard.tasks.text.graph import export_text_graph
from modelyard.tasks.text_embedding.model import load_embedder
from modelyard.tasks.text_embedding.pipeline import TextEmbeddingPipeline
from modelyard.tasks.text_embedding.pooling import Pooling, read_pooling

if TYPE_CHECKING:
    import torch

# As sentence-transformers names it; `embedding` is what the exporter calls the look-up of the tokens' vectors.
OUTPUT = "sentence_embedding"


def _not_trained() -> NoReturn:
    raise BadConfig(
        "text_embedding is not trained here",
        where="train.task",
        next="bring a model that embeds texts: modelyard adopt DIR, or modelyard release DIR --data pairs.csv",
    )


class TextEmbeddingTraining:
    recipes: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    base_files: tuple[str, ...] = ("tokenizer.json",)

    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        return load_embedder(Path(base), read_pooling(Path(base)), options)

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> TextEmbeddingPipeline:
        """The model pools, as the exported graph does."""
        prepare, _ = open_prepare(Path(base), max_length)
        return TextEmbeddingPipeline(prepare, Pooling("none", normalize=False), OUTPUT)

    def targets(self, values: Sequence[Any], labels: Sequence[str]) -> Array:
        return np.asarray(values, dtype=np.float64)

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {OUTPUT: model(**feeds)}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        _not_trained()

    def judged(self, outputs: Tensors) -> Tensors:
        return outputs

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        _not_trained()

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        _not_trained()

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        pooling = read_pooling(model_folder)
        model = load_embedder(model_folder, pooling, {"attention": "eager"})
        exported = export_text_graph(model, model_folder, package_folder, max_length, OUTPUT, self.forward)
        exported["pipeline"] |= {"output": OUTPUT, "pooling": "none", "normalize": False}
        if pooling.assumed:
            exported["notes"] = [
                "the directory does not say how tokens become one vector: their mean is taken, brought to length 1"
            ]
        return exported
