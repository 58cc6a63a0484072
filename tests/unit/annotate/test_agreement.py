"""The coefficients of agreement give the values of the papers and of independent implementations."""

from __future__ import annotations

import math
import random

import pytest
from sklearn.metrics import cohen_kappa_score

from modelyard.annotate.agreement import (
    cohen_kappa,
    fleiss_kappa,
    krippendorff_alpha,
    observed,
    specific_agreement,
)

# Fleiss (1971) as it is worked through in textbooks: 10 subjects, 14 raters, 5 categories.
FLEISS = (
    (0, 0, 0, 0, 14), (0, 2, 6, 4, 2), (0, 0, 3, 5, 6), (0, 3, 9, 2, 0), (2, 2, 8, 1, 1),
    (7, 7, 0, 0, 0), (3, 2, 6, 3, 0), (2, 5, 3, 2, 2), (6, 5, 2, 1, 0), (0, 2, 2, 3, 7),
)  # fmt: skip
# Krippendorff's example of three coders with answers missing; 0 stands for none.
KRIPPENDORFF = (
    (0, 0, 0, 0, 0, 3, 4, 1, 2, 1, 1, 3, 3, 0, 3),
    (1, 0, 2, 1, 3, 3, 4, 3, 0, 0, 0, 0, 0, 0, 0),
    (0, 0, 2, 1, 3, 4, 4, 0, 2, 1, 1, 3, 3, 0, 4),
)


def nominal(one: object, other: object) -> float:
    return float(one != other)


def two_people(seed: int) -> tuple[list[str], list[str]]:
    chance = random.Random(seed)
    names = "abcde"[: chance.randint(2, 5)]
    first = [chance.choice(names) for _ in range(chance.randint(5, 80))]
    return first, [name if chance.random() < 0.7 else chance.choice(names) for name in first]


def test_fleiss_kappa_of_the_textbook_is_0_210() -> None:
    items = [[name for name, count in zip("abcde", row, strict=True) for _ in range(count)] for row in FLEISS]
    assert fleiss_kappa(items) == pytest.approx(0.210, abs=5e-4)


def test_krippendorff_alpha_of_his_example_is_0_691_nominal_and_0_811_interval() -> None:
    items = [[answer for answer in unit if answer] for unit in zip(*KRIPPENDORFF, strict=True)]
    assert krippendorff_alpha(items, nominal) == pytest.approx(0.691, abs=5e-4)
    assert krippendorff_alpha(items, lambda a, b: float((int(str(a)) - int(str(b))) ** 2)) == pytest.approx(
        0.811, abs=5e-4
    )


@pytest.mark.parametrize("seed", range(20))
def test_cohen_kappa_is_that_of_scikit_learn(seed: int) -> None:
    first, second = two_people(seed)
    assert cohen_kappa(first, second) == pytest.approx(cohen_kappa_score(first, second), abs=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_with_two_answers_an_item_the_three_follow_from_each_other(seed: int) -> None:
    """Fleiss of two raters is Scott's pi, and alpha is pi with the correction of a small sample."""
    first, second = two_people(seed)
    items, n = list(zip(first, second, strict=True)), len(first)
    pi = fleiss_kappa(items)
    assert krippendorff_alpha(items, nominal) == pytest.approx(1 - (1 - pi) * (2 * n - 1) / (2 * n), abs=1e-12)
    pooled = [*first, *second]
    chance = sum((pooled.count(name) / len(pooled)) ** 2 for name in set(pooled))
    assert pi == pytest.approx((observed(first, second) - chance) / (1 - chance), abs=1e-12)


def test_where_chance_explains_everything_there_is_no_value() -> None:
    same = ["a"] * 5
    assert math.isnan(cohen_kappa(same, same))
    assert math.isnan(fleiss_kappa([["a", "a"]] * 5))
    assert math.isnan(krippendorff_alpha([["a", "a"]] * 5, nominal))
    assert all(math.isnan(of([], [])) for of in (observed, cohen_kappa))
    assert math.isnan(fleiss_kappa([]))


def test_fleiss_refuses_items_with_different_numbers_of_answers() -> None:
    with pytest.raises(ValueError, match="same number of answers"):
        fleiss_kappa([["a", "b"], ["a"]])


def test_specific_agreement_is_twice_both_over_all_that_said_it() -> None:
    assert specific_agreement("aab", "abb", "a") == pytest.approx(2 / 3)
    assert math.isnan(specific_agreement("aa", "aa", "b"))
