"""Coefficients of agreement, from the papers that define them. NaN where chance alone explains everything."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from itertools import permutations

Answers = Sequence[Hashable]


def observed(first: Answers, second: Answers) -> float:
    """The share of items that two people gave the same answer."""
    return sum(a == b for a, b in zip(first, second, strict=True)) / len(first) if first else math.nan


def cohen_kappa(first: Answers, second: Answers) -> float:
    """Agreement of two people beyond chance, each with a habit of their own: (po - pe) / (1 - pe).

    Cohen, Educational and Psychological Measurement 20 (1960).
    """
    own, other, n = Counter(first), Counter(second), len(first)
    chance = sum(own[name] * other[name] for name in own) / n**2 if n else math.nan
    return _beyond_chance(observed(first, second), chance)


def fleiss_kappa(items: Sequence[Answers]) -> float:
    """Agreement beyond chance of as many answers an item (two or more), whoever gave them.

    Fleiss, Psychological Bulletin 76 (1971). Raises ValueError where items have different numbers of answers.
    """
    if not items:
        return math.nan
    raters = len(items[0])
    if raters < 2 or any(len(answers) != raters for answers in items):
        raise ValueError("Fleiss' kappa needs the same number of answers, two or more, for every item")
    counts = [Counter(answers) for answers in items]
    agreed = sum((sum(c * c for c in each.values()) - raters) / (raters * (raters - 1)) for each in counts) / len(items)
    total: Counter[Hashable] = sum(counts, Counter())
    chance = sum((count / (raters * len(items))) ** 2 for count in total.values())
    return _beyond_chance(agreed, chance)


def krippendorff_alpha(items: Sequence[Answers], distance: Callable[[Hashable, Hashable], float]) -> float:
    """1 - observed / expected disagreement; items may have any number of answers, those with one say nothing.

    distance: 0 to 1, of two answers. Krippendorff, Content Analysis (2004), chapter 11.
    """
    paired = [answers for answers in items if len(answers) > 1]
    total = Counter(answer for answers in paired for answer in answers)
    n = sum(total.values())
    if n < 2:
        return math.nan
    seen = sum(sum(distance(a, b) for a, b in permutations(answers, 2)) / (len(answers) - 1) for answers in paired) / n
    chance = sum(total[a] * total[b] * distance(a, b) for a in total for b in total) / (n * (n - 1))
    return 1 - seen / chance if chance else math.nan


def specific_agreement(first: Answers, second: Answers, name: Hashable) -> float:
    """Of the times that one of two people said `name`, the share in which the other did too: 2 both / (one + other).

    Cicchetti and Feinstein, Journal of Clinical Epidemiology 43 (1990).
    """
    both = sum(a == b == name for a, b in zip(first, second, strict=True))
    said = sum(a == name for a in first) + sum(b == name for b in second)
    return 2 * both / said if said else math.nan


def _beyond_chance(agreed: float, chance: float) -> float:
    return (agreed - chance) / (1 - chance) if chance < 1 else math.nan
