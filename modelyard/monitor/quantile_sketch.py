"""Quantiles with a bounded relative error in bounded memory: logarithmic buckets that can be added up.

Source: Masson, Rim, Lee, "DDSketch: a fast and fully-mergeable quantile sketch with relative-error guarantees",
VLDB 2019.
"""

from __future__ import annotations

import math
from collections import defaultdict

RELATIVE_ERROR = 0.01
LEAST = 1e-9  # seconds; anything below counts as this


class QuantileSketch:
    """Counts of positive values in buckets (gamma^(i-1), gamma^i], gamma = (1 + e) / (1 - e).

    Every quantile lies within the relative error of a value that was seen at that rank.
    """

    __slots__ = ("_buckets", "_factor", "_gamma", "count", "greatest", "total")

    def __init__(self, relative_error: float = RELATIVE_ERROR) -> None:
        if not 0.0 < relative_error < 1.0:
            raise ValueError("the relative error lies between 0 and 1")
        self._gamma = (1.0 + relative_error) / (1.0 - relative_error)
        self._factor = 1.0 / math.log(self._gamma)
        self._buckets: defaultdict[int, int] = defaultdict(int)
        self.count = 0
        self.total = 0.0
        self.greatest = 0.0

    def add(self, value: float) -> None:
        """Count one value."""
        self._buckets[math.ceil(math.log(value if value > LEAST else LEAST) * self._factor)] += 1
        self.count += 1
        self.total += value
        if value > self.greatest:
            self.greatest = value

    def merge(self, other: QuantileSketch) -> None:
        """Count what the other one counted. Both must have the same relative error."""
        if other._gamma != self._gamma:
            raise ValueError("sketches of different relative errors cannot be added up")
        for bucket, count in other._buckets.items():
            self._buckets[bucket] += count
        self.count += other.count
        self.total += other.total
        self.greatest = max(self.greatest, other.greatest)

    def quantile(self, share: float) -> float | None:
        """The nearest rank: the smallest value that at least this share does not exceed; None without any value."""
        if not self.count:
            return None
        rank, seen = max(0, math.ceil(share * self.count) - 1), 0
        for bucket in sorted(self._buckets):
            seen += self._buckets[bucket]
            if seen > rank:
                # The point of the bucket whose relative distance to both ends is the same.
                return 2.0 * self._gamma**bucket / (self._gamma + 1.0)
        return self.greatest
