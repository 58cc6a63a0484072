"""Figures a class, and which class is taken for which."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

Counts = np.ndarray[Any, np.dtype[np.int64]]


@dataclass(frozen=True)
class Answers:
    """What the model said of each test row, beside the truth: class indices [rows], score of the answer [rows]."""

    predicted: Counts
    truth: Counts
    confidence: np.ndarray[Any, np.dtype[np.float64]]
    labels: Sequence[str]

    @property
    def right(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        return np.asarray(self.predicted == self.truth)


def confusion(answers: Answers) -> Counts:
    """Counts [true class, predicted class]."""
    size = len(answers.labels)
    counts: Counts = np.bincount(answers.truth * size + answers.predicted, minlength=size * size).astype(np.int64)
    return counts.reshape(size, size)


def per_class(counts: Counts, labels: Sequence[str]) -> list[dict[str, Any]]:
    """Precision, recall and F1 from a confusion matrix; 0 where the denominator is 0."""
    found = []
    for index, label in enumerate(labels):
        hit, given, support = int(counts[index, index]), int(counts[:, index].sum()), int(counts[index].sum())
        found.append(
            {
                "label": label,
                "precision": hit / given if given else 0.0,
                "recall": hit / support if support else 0.0,
                "f1": 2 * hit / (given + support) if given + support else 0.0,
                "support": support,
            }
        )
    return found


def macro_f1(classes: list[dict[str, Any]]) -> float:
    """The plain mean of the classes' F1: a rare class counts as much as a frequent one."""
    return float(np.mean([one["f1"] for one in classes]))
