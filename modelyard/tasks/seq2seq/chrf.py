"""chrF: F-score of character n-grams.

Source: Popovic, "chrF: character n-gram F-score for automatic MT evaluation", WMT 2015; characters without blanks, n
from 1 to 6, recall counting twice as much as precision (beta 2), the counts of all rows summed up before the shares
are made, as sacrebleu does. From 0 to 1.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelyard.tasks.metric import Metric
from modelyard.tasks.pipeline import Array, Tensors

ORDER, BETA = 6, 2.0


class Chrf(Metric):
    """Evidence: int64 [rows, ORDER, 3] of n-grams answered, wanted, and in both."""

    name = "chrf"

    def evidence(self, decoded: Tensors, targets: Sequence[Any]) -> Array:
        return np.stack(
            [ngram_counts(str(text), str(target)) for text, target in zip(decoded["text"], targets, strict=True)]
        )

    def value(self, evidence: Array) -> float:
        return f_score(evidence.sum(axis=0))


def ngram_counts(answer: str, wanted: str) -> Array:
    """int64 [ORDER, 3] of one row."""
    one, other = "".join(answer.split()), "".join(wanted.split())
    counts: Array = np.zeros((ORDER, 3), dtype=np.int64)
    for n in range(1, ORDER + 1):
        mine = Counter(one[place : place + n] for place in range(len(one) - n + 1))
        theirs = Counter(other[place : place + n] for place in range(len(other) - n + 1))
        # Where the wanted text is shorter than n, nothing could have been right: such a row says nothing of n.
        counts[n - 1] = (mine.total() if theirs else 0, theirs.total(), (mine & theirs).total())
    return counts


def f_score(counts: Array) -> float:
    """counts [ORDER, 3] summed over rows: precision and recall are the means over those orders that both sides have
    n-grams of."""
    there = counts[(counts[:, 0] > 0) & (counts[:, 1] > 0)].astype(np.float64)
    if not there[:, 2].any():
        return 0.0
    precision, recall = (there[:, 2] / there[:, 0]).mean(), (there[:, 2] / there[:, 1]).mean()
    return float((1 + BETA**2) * precision * recall / (BETA**2 * precision + recall))
