"""How answers are judged: one number over rows, from what is kept of each row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from modelyard.tasks.task import Array, Tensors


class Metric(Protocol):
    """A figure of quality.

    It is made in two steps, so that a resample or a slice of the rows needs no answer anew: what counts of each row,
    then the figure over some rows.
    """

    name: str  # as reports show it and gates are named after it: accuracy, spearman, mean_absolute_error
    unit: str  # `share` for what is shown as per cent of rows, else empty or the target's unit
    greater_is_better: bool

    def evidence(self, answers: Tensors, targets: Sequence[Any]) -> Array:
        """Decoded answers to all items of the rows (row after row) and the rows' targets: [rows, ...]."""
        ...

    def value(self, evidence: Array) -> float:
        """The figure over these rows. NaN where they do not make one (a correlation of one row)."""
        ...


class Accuracy:
    """The share of rows whose `label` is the target."""

    name = "accuracy"
    unit = "share"
    greater_is_better = True

    def evidence(self, answers: Tensors, targets: Sequence[Any]) -> Array:
        """bool [rows]: right or wrong."""
        right: Array = np.asarray(answers["label"] == np.array(targets, dtype=object))
        return right

    def value(self, evidence: Array) -> float:
        return float(np.mean(evidence)) if len(evidence) else float("nan")
