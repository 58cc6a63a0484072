"""prepare -> model -> decode for one text, one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from modelyard.errors import BadInput
from modelyard.tasks.task import Array, Graph, Prepared, Tensors
from modelyard.tasks.text_classification.decode import LOGITS, decode
from modelyard.tasks.text_classification.prepare import TextPrepare


class TextClassificationPipeline:
    """The one pipeline of training, export, evaluation and the server."""

    def __init__(self, prepare: TextPrepare, labels: Sequence[str]) -> None:
        self._prepare = prepare
        self._labels = tuple(labels)

    @classmethod
    def open(cls, folder: Path, spec: Mapping[str, Any], labels: Sequence[str]) -> Self:
        """spec: {"tokenizer": path in the folder, "max_length", "feeds", "pad_id"}. Raises BadInput."""
        try:
            path = folder / str(spec["tokenizer"])
            max_length, feeds, pad_id = int(spec["max_length"]), list(spec["feeds"]), int(spec.get("pad_id", 0))
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"the pipeline of this package is not complete: {error}", where=str(folder)) from None
        if not path.resolve().is_relative_to(folder.resolve()):
            raise BadInput(f"the tokenizer path {spec['tokenizer']} leaves the package", where=str(folder))
        return cls(TextPrepare.open(path, max_length, feeds, pad_id), labels)

    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        return self._prepare(item)

    def prepare_batch(self, items: Sequence[Mapping[str, Any]]) -> list[Prepared]:
        return self._prepare.batch(items)

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        return self._prepare.collate(items)

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        return {LOGITS: graphs["model"].run(feeds)[LOGITS]}

    def decode(self, outputs: Tensors) -> Tensors:
        return decode(outputs, self._labels)
