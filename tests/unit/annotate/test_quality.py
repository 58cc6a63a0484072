"""The figures of R6 on answers that can be counted by hand."""

from __future__ import annotations

import math

import pytest

from modelyard.annotate.board import Item, Vote
from modelyard.annotate.config import AnnotateConfig
from modelyard.annotate.quality import Share, kappas, quality, tables
from modelyard.fields import Label


def item(name: str, one: str, other: str | None, arbiter: str | None = None, batch: int = 1) -> Item:
    votes = [Vote("anna", one, 1)] + ([Vote("ben", other, 1)] if other else [])
    return Item(name, batch, 1, 2, tuple(votes), Vote("chen", arbiter, 1) if arbiter else None)


# Four that the pair agrees on, one decided for anna, one for nobody, one that waits for the arbiter, one half done.
ITEMS = [
    *(item(f"a{n}", "x", "x") for n in range(3)),
    item("a3", "y", "y", batch=2),
    item("d1", "x", "y", "x"),
    item("d2", "x", "y", "z", batch=2),
    item("w", "x", "y", batch=2),
    item("h", "x", None, batch=2),
]
GOLD = {"a0": "x", "a3": "x", "d1": "x", "w": "x"}
CONFIG = AnnotateConfig(guideline="g", annotators=("anna", "ben"), arbiter="chen", bar=0.9)


def test_blind_is_of_what_two_answered_resolved_and_gold_of_what_is_decided() -> None:
    found = quality(ITEMS, GOLD)
    assert (found.blind, found.resolved) == (Share(4, 7), Share(5, 6))
    assert (found.gold, found.arbitrated) == (Share(2, 3), Share(2, 6))


def test_what_lies_below_the_bar_is_said_with_its_number() -> None:
    found = quality(ITEMS, GOLD)
    assert found.below(CONFIG) == "resolved agreement 0.833 of 6, gold accuracy 0.667 of 3"
    assert found.below(CONFIG, fewest_gold=10) == "resolved agreement 0.833 of 6"
    assert found.below(CONFIG.model_copy(update={"gate": "blind"}), 10) == "blind agreement 0.571 of 7"
    assert found.below(CONFIG.model_copy(update={"gate": "none"})) == ""


def test_tables_by_label_pair_person_and_batch() -> None:
    rows = tables(ITEMS, GOLD, ("x", "y", "z"), CONFIG)
    assert [(row["label"], row["said"], row["decided"]) for row in rows["per_label"]] == [
        ("x", 9, 4), ("y", 5, 1), ("z", 0, 1),
    ]  # fmt: skip
    assert rows["per_label"][0]["agreement"] == pytest.approx(6 / 9)
    (pair,) = rows["per_pair"]
    assert (pair["pair"], pair["items"], pair["agreement"]) == ("anna / ben", 7, pytest.approx(4 / 7))
    people = {row["annotator"]: row for row in rows["per_annotator"]}
    assert (people["anna"]["answers"], people["anna"]["kept"]) == (8, pytest.approx(5 / 6))
    assert (people["ben"]["gold"], people["ben"]["gold_items"]) == (pytest.approx(1 / 4), 4)
    assert people["chen"]["role"] == "arbiter"
    assert [(row["batch"], row["items"], row["decided"]) for row in rows["per_batch"]] == [(1, 4, 4), (2, 4, 2)]
    assert [bool(row["below"]) for row in rows["per_batch"]] == [False, True]


def test_kappas_of_two_are_near_each_other_and_nothing_has_no_value() -> None:
    found = kappas(ITEMS, Label())
    # po = 4/7; pe by Cohen = (6*3 + 1*4)/49
    assert found["cohen_kappa"] == pytest.approx((4 / 7 - 22 / 49) / (1 - 22 / 49))
    assert found["fleiss_kappa"] <= found["cohen_kappa"]
    assert all(math.isnan(value) for value in kappas([], Label()).values())


def test_wilsons_interval_of_the_paper() -> None:
    low, high = Share(9, 10).interval or (0, 0)
    assert (low, high) == (pytest.approx(0.5958, abs=1e-4), pytest.approx(0.9821, abs=1e-4))
    assert Share(0, 0).interval is None
    assert (Share(0, 7).interval or (1, 1))[0] == 0.0 and (Share(7, 7).interval or (0, 0))[1] == 1.0
