"""What a task is judged by: one figure over rows of data, from what was answered and what was wanted."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np

from modelyard.tasks.pipeline import Array, Tensors

# Kinds of modelyard.tasks.agreements.
AgreementName = Literal["argmax", "cosine", "boxes", "sequences", "none"]


class Metric(ABC):
    """A figure of which more is better (an error is given as its negative).

    name: that of its figures, in which it takes the place of `accuracy`: `spearman`, `spearman_lost`, `eager_spearman`.
    Intervals and paired losses are made from the evidence by modelyard.measure.worth, for every metric alike.
    """

    name: str

    @abstractmethod
    def evidence(self, decoded: Tensors, targets: Sequence[Any]) -> Array:
        """What is known of each row, first axis the rows: rows can be drawn from it again.

        decoded: the public outputs of all requests, row after row; targets: the true values, one a row.
        """
        ...

    @abstractmethod
    def value(self, evidence: Array) -> float:
        """The figure over these rows; NaN where it has no meaning (ranks of one value)."""
        ...

    def pairs(self, evidence: Array) -> Array | None:
        """float64 [rows, 2] of what was answered and what was wanted, where both are numbers; the report shows them."""
        return None


class Share(Metric):
    """The share of rows that are right. Evidence: bool [rows]."""

    def value(self, evidence: Array) -> float:
        return float(evidence.mean())


class Accuracy(Share):
    """The share of right labels."""

    name = "accuracy"

    def evidence(self, decoded: Tensors, targets: Sequence[Any]) -> Array:
        right: Array = np.asarray(decoded["label"] == np.array(list(targets), dtype=object), dtype=bool)
        return right
