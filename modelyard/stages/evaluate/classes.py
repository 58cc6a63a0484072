"""Figures a class."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.tasks.classes import f1_scores
from modelyard.tasks.pipeline import Array


@dataclass(frozen=True)
class Answers:
    """What the model said of each test row, beside the truth: class indices [rows], score of the answer [rows]."""

    predicted: Array
    truth: Array
    confidence: np.ndarray[Any, np.dtype[np.float64]]
    labels: Sequence[str]

    @property
    def right(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.asarray(self.predicted == self.truth)


def per_class(counts: Array, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall and F1 from a confusion matrix; 0 where the denominator is 0."""
    found, f1 = [], f1_scores(counts)
    for index, label in enumerate(labels):
        hit, given, support = int(counts[index, index]), int(counts[:, index].sum()), int(counts[index].sum())
        found.append(
            {
                "label": label,
                "precision": hit / given if given else 0.0,
                "recall": hit / support if support else 0.0,
                "f1": float(f1[index]),
                "support": support,
            }
        )
    return found
