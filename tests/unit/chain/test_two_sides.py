"""Rows to judge a finished model by: some to choose a variant on, the others for the figures."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from modelyard.chain.two_sides import SidesConfig, two_sides
from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID
from tests.rows import Heard, column, labelled, new_run
from tests.unit.tiny_bert import reviews


def parted(run: Run, rows: list[tuple[str, ...]], header: tuple[str, ...] = ("text", "label"), **told: int) -> Dataset:
    return two_sides(labelled(run, rows, header), SidesConfig.model_validate(told), run)


def test_a_quarter_chooses_and_the_rest_judges_the_same_way_each_time(tmp_path: Path) -> None:
    first, second = (parted(new_run(tmp_path / name), reviews(400)) for name in "ab")
    sides = column(first, "split")
    assert Counter(sides) == {"validation": 100, "test": 300}
    assert sides == column(second, "split")


def test_of_many_rows_no_more_choose_than_it_takes(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    assert Counter(column(parted(run, reviews(400), most=30), "split")) == {"validation": 30, "test": 370}
    assert run.figures["rows_test"].value == 370
    assert "by a hash of the row" in run.figures["rows_test"].how


def test_twins_lie_on_one_side(tmp_path: Path) -> None:
    made = parted(new_run(tmp_path), [*reviews(100), *reviews(100)])
    sides: dict[object, set[object]] = {}
    for row_id, side in zip(column(made, ROW_ID), column(made, "split"), strict=True):
        assert isinstance(row_id, bytes)
        sides.setdefault(row_id[:16], set()).add(side)
    assert len(sides) == 100
    assert all(len(where) == 1 for where in sides.values())


def test_a_split_that_the_data_bring_is_kept(tmp_path: Path) -> None:
    rows = [(*row, ("train", "validation", "test", "test")[place % 4]) for place, row in enumerate(reviews(80))]
    made = parted(new_run(tmp_path), rows, ("text", "label", "split"))
    assert column(made, "split") == [side for *_, side in rows]


@pytest.mark.parametrize("only", ["test", "validation"])
def test_one_side_alone_is_parted_and_train_rows_stay_what_they_are(tmp_path: Path, only: str) -> None:
    rows = [(*row, "train" if place % 2 else only) for place, row in enumerate(reviews(200))]
    run = new_run(tmp_path)
    made = parted(run, rows, ("text", "label", "split"))
    assert Counter(column(made, "split")) == {"train": 100, "validation": 25, "test": 75}
    assert run.figures["rows_train"].value == 100


def test_few_rows_serve_both_and_the_user_is_told(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    made = parted(run, reviews(30))
    assert Counter(column(made, "split")) == {"validation": 30, "test": 30}
    assert sorted(map(str, column(made, "text"))) == sorted([text for text, _ in reviews(30)] * 2)
    assert heard.warned == [
        "30 rows: too few to part, so that variants are chosen on the same rows that the figures stand for"
    ]
