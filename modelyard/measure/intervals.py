"""Intervals: how far a figure can be trusted. All at 95 % unless said."""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import Any

import numpy as np

Values = np.ndarray[Any, np.dtype[Any]]
Interval = tuple[float, float]


def bootstrap_mean(values: Values, *, resamples: int = 2000, seed: int = 0, level: float = 0.95) -> Interval:
    """Percentile bootstrap of the mean of `values` [n] (Efron and Tibshirani, 1993, chapter 13).

    A resample is drawn as counts of each distinct value, so that right-or-wrong values cost the same for any n.
    """
    distinct, counts = np.unique(np.asarray(values, dtype=np.float64), return_counts=True)
    n = int(counts.sum())
    rng = np.random.default_rng(seed)
    means = rng.multinomial(n, counts / n, size=resamples) @ distinct / n
    low, high = np.quantile(means, [(1 - level) / 2, (1 + level) / 2])
    return float(low), float(high)


def paired_loss(lost: int, won: int, rows: int, *, level: float = 0.95) -> Interval:
    """Interval of the accuracy lost, (lost - won) / rows, between two models on the same rows.

    lost: rows that only the reference gets right; won: rows that only the other gets right.
    Agresti and Min, Statistics in Medicine 24 (2005): Wald after half a row is added to each of the four cells.
    Unlike the bootstrap it keeps a width when no row differs.
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    n, b, c = rows + 2.0, lost + 0.5, won + 0.5
    difference = (b - c) / n
    half = z * math.sqrt((b + c) - (b - c) ** 2 / n) / n
    return max(-1.0, difference - half), min(1.0, difference + half)


def median_interval(values: Values, *, level: float = 0.95) -> Interval:
    """Interval of the median from the sign test: no shape is assumed, and wild values do not widen it (Conover, 1999).

    The ranks are the widest pair that a binomial of n fair throws leaves outside with at most 1 - level, so the
    interval covers at least that; below 6 values there is none, and it has no ends.
    """
    ordered = np.sort(values)
    n = len(ordered)
    tail, rank = 1, 0  # tail: how many of 2^n outcomes have at most `rank` values below the median
    while 2 * tail <= (1 - level) * 2**n:
        rank += 1
        tail += math.comb(n, rank)
    if rank == 0:
        return -math.inf, math.inf
    return float(ordered[rank - 1]), float(ordered[n - rank])
