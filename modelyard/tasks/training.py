"""The training half of a task: what the loop, export and evaluate ask of it. Types only: torch stays lazy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from modelyard.tasks.pipeline import Array, Graph, Pipeline, Tensors

if TYPE_CHECKING:
    import torch


class TrainingTask(Protocol):
    """max_length: how much of an item is read, tokens or pixels of a side; 0 for pictures: what the directory says.

    recipes: names that new models are made by, each with the content of its config.json; a directory that holds no
    more than such a file makes one too. base_files: what any other base holds beside its configuration and weights."""

    recipes: Mapping[str, Mapping[str, Any]]
    base_files: tuple[str, ...]

    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        """A trainable model from a directory, its head sized for the labels. options: `dropout`, `attention` (the
        implementation), and for pictures `image_size`."""
        ...

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> Pipeline:
        """The pipeline of a directory: the same class that serves the exported package."""
        ...

    def targets(self, values: Sequence[Any], labels: Sequence[str]) -> Array | list[Array]:
        """Target column to an array, first axis the rows; where rows have several each (boxes, tokens), to one array a
        row: `loss` and `metrics` then get them as [rows, most, ...], filled up with -1.

        Raises BadInput for a class that is not in `labels`."""
        ...

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Collated feeds to raw outputs by the names that the exported graph will use."""
        ...

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The sum of the loss and the weight it is a sum over (items or tokens), so that shares add up rightly."""
        ...

    def judged(self, outputs: Tensors) -> Tensors:
        """What of a batch's raw outputs `metrics` reads, first axis the items: it is kept for all rows."""
        ...

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        """Named figures, the task's main one first."""
        ...

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        """Write a Model: weights, config.json, what else `load` and `pipeline` read of a base, and model.json."""
        ...

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        """Write the float graphs and pipeline files into the package folder.

        Answers {"graphs": {role: {"format", "files"}}, "pipeline": {...}, "tensor": {"inputs", "outputs"}}, and under
        "notes", where there are any, what was assumed of the model in sentences. Under "variants" may stand what only
        the model's directory can give, each {"name", "runtime", "requires", "graphs"} with its files in variants/NAME;
        under "left_out" why there is none of them.
        """
        ...


@runtime_checkable
class Learning(Protocol):
    """A training half whose new models need something of the data before a row can be prepared: a tokenizer, say."""

    def learns(self, base: str) -> bool:
        """Whether this directory, a recipe's as a rule, lacks it."""
        ...

    def learn(self, base: str, rows: Iterator[Mapping[str, Any]], folder: Path) -> None:
        """Write a whole base into the empty folder, from the directory and the rows of the train side by their public
        names, the target's too. The same rows give the same files."""
        ...


@runtime_checkable
class Taught(Protocol):
    """A training half whose models are shown the target while they answer: it takes the place of `forward` wherever
    targets are known."""

    def taught(
        self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor], targets: torch.Tensor
    ) -> dict[str, torch.Tensor]: ...


@runtime_checkable
class GenerativeTraining(Protocol):
    """A training half whose models write their answers."""

    def generator(self, model: torch.nn.Module, pipeline: Pipeline) -> Graph:
        """The model's own way to answer whole texts, as its library has it, by the settings of the pipeline: what an
        exported package is held against."""
        ...
