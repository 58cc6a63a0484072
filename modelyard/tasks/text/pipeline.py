"""Text to feeds, as the pipelines of all tasks on one text have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.tasks.pipeline import Prepared, Tensors
from modelyard.tasks.text.prepare import TextPrepare


class TextPipeline:
    """The first half of a pipeline; what derives from it brings `run` and `decode`."""

    def __init__(self, prepare: TextPrepare) -> None:
        self._prepare = prepare

    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        return self._prepare(item)

    def prepare_batch(self, items: Sequence[Mapping[str, Any]]) -> list[Prepared]:
        return self._prepare.batch(items)

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        return self._prepare.collate(items)
