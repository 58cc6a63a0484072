"""Figures of answers that are classes: which is taken for which, and what follows from it."""

from __future__ import annotations

import numpy as np

from modelyard.tasks.task import Array


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
