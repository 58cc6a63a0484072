"""Text embedding: one text in, one vector out. A row of data is a pair of texts and how alike they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.tasks.task import Signature, Task
from modelyard.tasks.text_embedding.pipeline import EMBEDDING, TextEmbeddingPipeline
from modelyard.tasks.text_embedding.similarity import SimilarityRanks

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask

PAIR = ("text_a", "text_b")


class TextEmbedding(Task):
    name = "text_embedding"
    inputs = MappingProxyType({"text": "text"})
    target = "score"
    target_field = "number"
    metric = SimilarityRanks()
    agreement = "cosine"
    eager = "embedder"
    trainable = False

    @property
    def columns(self) -> Mapping[str, str]:
        return MappingProxyType(dict.fromkeys(PAIR, "text"))

    def items(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """Two requests a row: text_a, then text_b."""
        return [{"text": row[name]} for row in rows for name in PAIR]

    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        """The length of the vectors is that of the graph's last axis, free when no graph says it."""
        size = int(tensor["outputs"][0]["shape"][-1]) if tensor else -1
        return Signature(inputs=(("text", "BYTES", (-1,)),), outputs=((EMBEDDING, "FP32", (-1, size)),))

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> TextEmbeddingPipeline:
        return TextEmbeddingPipeline.open(folder, spec)

    def training(self, framework: str = "torch") -> TrainingTask:
        from modelyard.tasks.text_embedding.training import TextEmbeddingTraining

        return TextEmbeddingTraining()


TASK = TextEmbedding()

__all__ = ["EMBEDDING", "PAIR", "TASK", "TextEmbedding", "TextEmbeddingPipeline"]
