"""Answers that are classes: their places among the labels, which is taken for which, and what follows from it."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Array


def class_places(values: Sequence[str], labels: Sequence[str]) -> Array:
    """int64 [rows]: where each value stands among the labels. Raises BadInput for one that is none of them."""
    index = {label: place for place, label in enumerate(labels)}
    unknown = sorted({value for value in values if value not in index})
    if unknown:
        raise BadInput(
            f"the class {unknown[0]!r} is not one of the model's: {', '.join(labels)}",
            next="train on data that has every class",
        )
    return np.fromiter((index[value] for value in values), dtype=np.int64, count=len(values))


def class_figures(logits: Array, targets: Array, classes: int) -> dict[str, float]:
    """What training is told of logits [rows, classes] beside places of the right ones [rows]."""
    counts = confusion(logits.argmax(axis=-1), targets, classes)
    return {"accuracy": accuracy(counts), "macro_f1": macro_f1(counts)}


def confusion(predicted: Array, targets: Array, classes: int) -> Array:
    """Counts [classes, classes]: rows the true class, columns the predicted one."""
    counts: Array = np.bincount(targets * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def accuracy(counts: Array) -> float:
    """The share of right answers."""
    return float(np.trace(counts) / counts.sum())


def f1_scores(counts: Array) -> Array:
    """F1 [classes] = 2 TP / (2 TP + FP + FN); 0 for a class nobody gave or has."""
    right = 2 * np.diag(counts).astype(np.float64)
    sides = counts.sum(axis=0) + counts.sum(axis=1)
    scores: Array = np.divide(right, sides, out=np.zeros(len(counts)), where=sides > 0)
    return scores


def macro_f1(counts: Array) -> float:
    """The plain mean of the classes' F1: a rare class counts as much as a frequent one."""
    return float(f1_scores(counts).mean())
