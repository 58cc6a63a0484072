"""A task of one's own whose target is a number: how many stars a review gives, from 1 to 5.

The target is no label, so the task brings its kind of field, its outputs, its metric and its loss along; the
preparation is that of every task on a text.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, Self

import numpy as np

from modelyard.tasks.metric import Share
from modelyard.tasks.pipeline import Array, Graph, Tensors
from modelyard.tasks.task import Signature, Task
from modelyard.tasks.text.pipeline import TextPipeline
from modelyard.tasks.text.prepare import TextPrepare

from .field import FEWEST, MOST, Stars

OUTPUT = "raw_stars"
CLOSE = 0.5


class WithinHalfAStar(Share):
    """The share of answers that lie within half a star of the reviewer's."""

    name = "within_half_a_star"

    def evidence(self, decoded: Tensors, targets: Sequence[Any]) -> Array:
        right: Array = np.abs(decoded["stars"] - np.asarray(targets, dtype=np.float64)) <= CLOSE
        return right


class StarPipeline(TextPipeline):
    @classmethod
    def open(cls, folder: Path, spec: Mapping[str, Any]) -> Self:
        return cls(TextPrepare.of_package(folder, spec))

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        return {OUTPUT: graphs["model"].run(feeds)[OUTPUT]}

    def decode(self, outputs: Tensors) -> Tensors:
        """raw [n, 1] to stars float32 [n], kept between the fewest and the most there are."""
        return {"stars": np.clip(outputs[OUTPUT][:, 0], FEWEST, MOST).astype(np.float32)}


class StarRating(Task):
    name = "star_rating"
    inputs = MappingProxyType({"text": "text"})
    target = "stars"
    target_field = "stars"
    metric = WithinHalfAStar()
    agreement = "none"

    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        return Signature(inputs=(("text", "BYTES", (-1,)),), outputs=(("stars", "FP32", (-1,)),))

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> StarPipeline:
        return StarPipeline.open(folder, spec)

    def training(self, framework: str = "torch") -> Any:
        from .training import StarTraining

        return StarTraining()


TASK = StarRating()
FIELDS = {"stars": Stars()}
