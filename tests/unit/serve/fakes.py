"""A pipeline without a tokenizer or a graph: a text's size is its length, its answer is its length."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Prepared, Tensors


class LengthPipeline:
    """Remembers the sizes of each batch; `gate` holds the graph until a test lets it go on."""

    def __init__(self, *, poison: str | None = None) -> None:
        self.batches: list[list[int]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.entered = threading.Event()
        self._poison = poison

    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        value = item["text"]
        text = value.decode() if isinstance(value, bytes) else str(value)
        if not text:
            raise BadInput("the text is empty", where="text")
        poisoned = np.array([text == self._poison])
        return Prepared({"length": np.array([len(text)]), "poisoned": poisoned}, len(text))

    def prepare_batch(self, items: Sequence[Mapping[str, Any]]) -> list[Prepared]:
        return [self.prepare(item) for item in items]

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        return {name: np.concatenate([item.features[name] for item in items]) for name in ("length", "poisoned")}

    def run(self, graphs: Mapping[str, Any], feeds: Tensors) -> Tensors:
        self.batches.append([int(n) for n in feeds["length"]])
        self.entered.set()
        assert self.gate.wait(10)
        if "poisoned" in feeds and feeds["poisoned"].any():
            raise RuntimeError("the graph fell over")
        return {"length": feeds["length"].astype(np.float32)}

    def decode(self, outputs: Tensors) -> Tensors:
        return {"length": outputs["length"]}
