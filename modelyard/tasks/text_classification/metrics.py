"""Accuracy and macro F1."""

from __future__ import annotations

import numpy as np

from modelyard.tasks.task import Array


def confusion(predicted: Array, targets: Array, classes: int) -> Array:
    """Counts [classes, classes]: rows the true class, columns the predicted one."""
    counts: Array = np.bincount(targets * classes + predicted, minlength=classes * classes)
    return counts.reshape(classes, classes)


def accuracy(predicted: Array, targets: Array) -> float:
    """The share of right answers."""
    return float(np.mean(predicted == targets))


def macro_f1(predicted: Array, targets: Array, classes: int) -> float:
    """The plain mean over all classes of F1 = 2 TP / (2 TP + FP + FN); 0 for a class nobody gave or has."""
    counts = confusion(predicted, targets, classes)
    right = np.diag(counts).astype(np.float64)
    sides = counts.sum(axis=0) + counts.sum(axis=1)
    return float(np.mean(np.divide(2 * right, sides, out=np.zeros(classes), where=sides > 0)))
