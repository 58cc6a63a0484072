"""What a task is: the columns it needs, its serving half (no torch) and, lazily, its training half."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.tasks.metric import AgreementName, Metric
from modelyard.tasks.pipeline import Pipeline

if TYPE_CHECKING:
    from modelyard.fields import Field
    from modelyard.tasks.training import TrainingTask


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
    """One task: what a request holds, and what a row of data holds."""

    name: str
    # Public input of a request -> kind of field.
    inputs: Mapping[str, str]
    # Public name of a column of the data that holds the target, and its kind of field.
    target: str
    target_field: str
    # What its packages are judged by; None: there is nothing to be right about.
    metric: Metric | None = None
    # How it is told that a variant answers as the reference does (modelyard.tasks.agreements).
    agreement: AgreementName = "argmax"
    # What the size of a prepared item counts.
    unit: str = "tokens"
    # Which setting of `train` says how much of an item is read: tokens (max_length), or the side in pixels that
    # pictures are brought to (image_size).
    sized_by: str = "max_length"
    # Which baseline of modelyard.measure.eager_handler answers as its models do; None: there is none.
    eager: str | None = None
    # Whether `modelyard train` can make a model of it.
    trainable: bool = True
    # What models of it can be written in; the first is what is meant where nothing is said.
    frameworks: tuple[str, ...] = ("torch",)
    # Stage -> key -> value: settings that fit the task better than the stages' own defaults.
    defaults: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    # Whether a request is what the graph itself takes: neither prepared nor decoded, nor cut into items.
    whole_tensors: bool = False
    # Kinds of field that the task brings along, beside those of modelyard.fields.
    fields: Mapping[str, Field] = MappingProxyType({})
    # Where a task from outside the package lies, and the digest of its code.
    folder: Path | None = None
    code: str | None = None

    @property
    def columns(self) -> Mapping[str, str]:
        """Public name of an input column of the data -> kind of field. Those of a request, unless a row holds several
        requests (a pair of texts, say)."""
        return self.inputs

    @property
    def baseline(self) -> str | None:
        """Which of the plain methods of modelyard.stages.evaluate.baselines its models are held against."""
        return "words" if self.target_field == "label" and set(self.inputs.values()) == {"text"} else None

    @property
    def kinds(self) -> Mapping[str, Field]:
        """Every kind of field that a column of this task's data may have."""
        from modelyard.fields import FIELDS  # brings Arrow, which a server does without

        return {**FIELDS, **self.fields}

    def items(self, rows: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        """The requests that rows (by the names of `columns`) stand for: as many a row for every row, row after row."""
        return list(rows)

    @property
    def least_classes(self) -> int:
        """How many classes the targets of training rows must hold: two to tell apart, where the target is one."""
        return 2 if self.target_field == "label" else 0

    def classes_of(self, target: Any) -> list[str]:
        """Names of classes that the target of one row holds; none where the target is no class."""
        return [str(target)] if self.target_field == "label" else []

    @abstractmethod
    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        """The public tensors of a package; tensor: those of its graphs, {"inputs": [...], "outputs": [...]}."""
        ...

    @abstractmethod
    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> Pipeline:
        """The pipeline of a Package: its folder (whose package.json has the labels) and its `pipeline` object.

        Raises BadInput when a file is missing."""
        ...

    @abstractmethod
    def training(self, framework: str = "torch") -> TrainingTask:
        """The half that needs torch, for models of one of `frameworks`; imported here and nowhere else."""
        ...
