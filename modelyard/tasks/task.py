"""What a task is: the columns it needs, its serving half (no torch) and, lazily, its training half."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask

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
        ...

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        """Pad and stack the items: the feeds of the first graph, batch axis first."""
        ...

    def run(self, graphs: Mapping[str, Graph], feeds: Tensors) -> Tensors:
        """Run the graphs by role (`model`; later `encoder`, `decoder`): raw outputs, batch axis first."""
        ...

    def decode(self, outputs: Tensors) -> Tensors:
        """Raw outputs to the public ones (`label` as object array of str, `score` float32, ...), batch axis first."""
        ...


@dataclass(frozen=True)
class Signature:
    """The public inputs and outputs in V2 terms: name, datatype, shape (-1 is the batch)."""

    inputs: tuple[tuple[str, str, tuple[int, ...]], ...]
    outputs: tuple[tuple[str, str, tuple[int, ...]], ...]

    def as_json(self) -> dict[str, Any]:
        def shown(tensors: tuple[tuple[str, str, tuple[int, ...]], ...]) -> list[dict[str, Any]]:
            return [{"name": name, "datatype": datatype, "shape": list(shape)} for name, datatype, shape in tensors]

        return {"inputs": shown(self.inputs), "outputs": shown(self.outputs)}


class Task(ABC):
    """One task. `inputs` and `target`: public name -> kind of field (the column that holds it is found by kind)."""

    name: str
    inputs: Mapping[str, str]
    target: str

    @abstractmethod
    def signature(self, labels: Sequence[str]) -> Signature: ...

    @abstractmethod
    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> Pipeline:
        """The pipeline of a Package: its folder (whose package.json has the labels) and its `pipeline` object.

        Raises BadInput when a file is missing."""
        ...

    @abstractmethod
    def training(self) -> TrainingTask:
        """The half that needs torch; imported here and nowhere else."""
        ...
