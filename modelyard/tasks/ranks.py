"""Ranks, and Spearman's correlation of them."""

from __future__ import annotations

import numpy as np

from modelyard.tasks.pipeline import Array


def average_ranks(values: Array) -> Array:
    """Ranks from 1; equal values share the mean of theirs."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    ranks: Array = (last - (counts - 1) / 2)[place]
    return ranks


def spearman(one: Array, other: Array) -> float:
    """Pearson's correlation of the ranks; NaN when one of them is all of one value."""
    first, second = (ranks - ranks.mean() for ranks in (average_ranks(one), average_ranks(other)))
    scale = float(np.sqrt((first**2).sum() * (second**2).sum()))
    return float((first * second).sum()) / scale if scale else float("nan")
