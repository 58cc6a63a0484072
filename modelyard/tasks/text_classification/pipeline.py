"""prepare -> model -> decode for one text, one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from modelyard.tasks.class_scores import LOGITS, decode
from modelyard.tasks.pipeline import Array, Graph, Tensors
from modelyard.tasks.text.pipeline import TextPipeline
from modelyard.tasks.text.prepare import TextPrepare


class TextClassificationPipeline(TextPipeline):
    """The one pipeline of training, export, evaluation and the server."""

    def __init__(self, prepare: TextPrepare, labels: Sequence[str], output: str = LOGITS) -> None:
        super().__init__(prepare)
        self._labels = tuple(labels)
        self._output = output

    @classmethod
    def open(cls, folder: Path, spec: Mapping[str, Any], labels: Sequence[str]) -> Self:
        """spec: as TextPrepare.of_package has it, and {"output": that of the graph which holds the logits}."""
        return cls(TextPrepare.of_package(folder, spec), labels, str(spec.get("output", LOGITS)))

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        return {LOGITS: graphs["model"].run(feeds)[self._output]}

    def decode(self, outputs: Tensors) -> Tensors:
        return decode(outputs, self._labels)
