"""The half of a task that training and serving share, and what passes through it: arrays, prepared items, graphs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, Self, runtime_checkable

import numpy as np

from modelyard.errors import BadInput

Array = np.ndarray[Any, np.dtype[Any]]
Tensors = dict[str, Array]


@dataclass(frozen=True)
class Prepared:
    """One item ready for the graph. features: arrays without a batch axis; size: its cost (tokens, pixels), by which
    batches are put together; truncated: whether part of the input was cut off."""

    features: Tensors
    size: int
    truncated: bool = False


class Graph(Protocol):
    """One graph of a variant, open in some runtime."""

    def run(self, feeds: Mapping[str, Array]) -> Tensors: ...


class Pipeline(Protocol):
    """prepare -> graphs -> decode: the half of a task that training and serving share. Imports no torch."""

    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        """One item: {public input name: str | bytes}. Raises BadInput when it cannot be used."""
        ...

    def prepare_batch(self, items: Sequence[Mapping[str, Any]]) -> list[Prepared]:
        """The same for many items at once. Raises BadInput whose `where` is `item N` for the first bad one."""
        prepared = []
        for place, item in enumerate(items):
            try:
                prepared.append(self.prepare(item))
            except BadInput as error:
                raise BadInput(error.message, where=f"item {place}", next=error.next) from None
        return prepared

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        """Pad and stack the items: the feeds of the first graph, batch axis first."""
        ...

    def run(self, graphs: Mapping[str, Graph], feeds: Tensors) -> Tensors:
        """Run the graphs by role (`model`; later `encoder`, `decoder`): raw outputs, batch axis first."""
        ...

    def decode(self, outputs: Tensors) -> Tensors:
        """Raw outputs to the public ones (`label` as object array of str, `score` float32, ...), batch axis first."""
        ...


@runtime_checkable
class Streaming(Protocol):
    """A pipeline that can answer piece by piece."""

    def stream(self, graphs: Mapping[str, Graph], feeds: Tensors) -> Iterator[str]:
        """Pieces of the text of the one item in `feeds`, whose concatenation is what greedy search answers; no
        character is cut. A step of the graphs is run for each `next`, and a piece is empty when it brought no text yet:
        whoever stops asking stops the work, and others have their turn between two steps."""
        ...


@runtime_checkable
class Generative(Streaming, Protocol):
    """A pipeline that writes its answer token by token."""

    def generating(self, settings: Mapping[str, Any]) -> Self:
        """Search by these settings (beams, max_new_tokens, length_penalty), where they are given."""
        ...

    def generation_spec(self) -> dict[str, Any]:
        """The settings it searches by, for package.json."""
        ...

    def forced(self, graphs: Mapping[str, Graph], feeds: Tensors, answered: Tensors) -> Tensors:
        """Numbers along given answers (raw outputs of `run`): what export compares, for a choice may tip over where two
        tokens lie within a rounding error of each other."""
        ...
