"""Intervals: how far a figure can be trusted. All at 95 % unless said."""

from __future__ import annotations

import math
from collections.abc import Sequence
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


def paired_ratio(numerators: Sequence[float], denominators: Sequence[float], *, level: float = 0.95) -> Interval:
    """Interval of the geometric mean of ratios measured in pairs (rounds): Student's t on their logarithms."""
    from scipy.stats import t  # type: ignore[import-untyped]  # comes with scikit-learn

    logs = np.log(np.asarray(numerators, dtype=np.float64) / np.asarray(denominators, dtype=np.float64))
    if len(logs) < 2:
        return 0.0, math.inf
    half = float(t.ppf((1 + level) / 2, len(logs) - 1) * logs.std(ddof=1) / math.sqrt(len(logs)))
    centre = float(logs.mean())
    return math.exp(centre - half), math.exp(centre + half)


def quantile_interval(values: Values, quantile: float, *, level: float = 0.95) -> Interval:
    """Interval of a quantile from order statistics: ranks n q +- z sqrt(n q (1 - q)) (Conover, 1999, section 3.2)."""
    ordered = np.sort(values)
    n = len(ordered)
    half = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(n * quantile * (1 - quantile))
    low = max(0, math.floor(n * quantile - half) - 1)
    high = min(n - 1, math.ceil(n * quantile + half) - 1)
    return float(ordered[low]), float(ordered[high])
