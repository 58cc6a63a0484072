"""prepare -> model -> decode for one text, one vector."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Array, Graph, Tensors
from modelyard.tasks.text.pipeline import TextPipeline
from modelyard.tasks.text.prepare import TextPrepare
from modelyard.tasks.text_embedding.pooling import MODES, Pooling, pooled

EMBEDDING = "embedding"
MASK = "attention_mask"


class TextEmbeddingPipeline(TextPipeline):
    """The one pipeline of export, evaluation and the server."""

    def __init__(self, prepare: TextPrepare, pooling: Pooling, output: str = EMBEDDING) -> None:
        super().__init__(prepare)
        self._pooling = pooling
        self._output = output

    @classmethod
    def open(cls, folder: Path, spec: Mapping[str, Any]) -> Self:
        """spec: as TextPrepare.of_package has it, and {"output": that of the graph, "pooling": what is left to do after
        it, one of MODES, "normalize": whether its vectors are brought to length 1 here}. Raises BadInput."""
        mode = spec.get("pooling", "none")
        if mode not in MODES:
            raise BadInput(f"the pipeline pools by {mode!r}, known are {', '.join(MODES)}", where=str(folder))
        pooling = Pooling(mode, bool(spec.get("normalize", False)))
        return cls(TextPrepare.of_package(folder, spec), pooling, str(spec.get("output", EMBEDDING)))

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        """{"embedding": float32 [n, D]}."""
        answered = graphs["model"].run(feeds)[self._output]
        return {EMBEDDING: pooled(answered, feeds.get(MASK), self._pooling.mode, self._pooling.normalize)}

    def decode(self, outputs: Tensors) -> Tensors:
        return {EMBEDDING: outputs[EMBEDDING]}
