"""The stage: nothing leaks, nothing moves, and what is uneven is said."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.config import validate
from modelyard.errors import BadConfig, BadInput, GateFailed
from modelyard.run import Cancelled, Run
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.split import Shares, SplitConfig, split
from modelyard.stages.split.balance import imbalance, missing_rows
from modelyard.stages.split.components import components
from modelyard.stages.split.sides import hashed_sides
from modelyard.store import Dataset
from modelyard.store.dataset import show_row_id
from modelyard.store.materialize import materialize
from tests.rows import Heard, StopsAt, column, in_parts, labelled, new_run

SIDES = ("train", "validation", "test")
LOOSE = {"min_rows_per_class": 0, "balance": "off"}


def texts(count: int, start: int = 0) -> list[tuple[str, str]]:
    return [(f"text of row {number}", "ab"[number % 2]) for number in range(start, start + count)]


def sides(dataset: Dataset) -> dict[str, str]:
    """Side by row_id."""
    table = dataset.read(["row_id", "split"])
    return dict(zip(map(show_row_id, table["row_id"].to_pylist()), table["split"].to_pylist(), strict=True))


def loose(**config: Any) -> SplitConfig:
    return SplitConfig(**{**LOOSE, **config})


def test_shares_are_met_in_expectation_and_the_deviation_is_recorded(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    done = split(labelled(run, texts(4000)), SplitConfig(), run)
    counts = {side: run.figures[f"rows_{side}"].value for side in SIDES}
    assert sum(counts.values()) == done.rows() == 4000
    # Three standard deviations of a binomial of 4,000: 76 rows at 0.8, 57 at 0.1.
    assert abs(counts["train"] - 3200) < 76
    assert abs(counts["test"] - 400) < 57
    table = run.details["split"]
    worst = max(
        abs(table[side][label] / 2000 - share)
        for side, share in (("train", 0.8), ("validation", 0.1), ("test", 0.1))
        for label in "ab"
    )
    assert run.figures["strata_deviation"].value == pytest.approx(worst, abs=1e-6)


def test_a_group_is_never_cut(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    rows = [(*row, f"user {number // 5}") for number, row in enumerate(texts(300))]
    done = split(labelled(run, rows, ("text", "label", "user")), loose(group="user"), run)
    table = done.read(["user", "split"]).to_pylist()
    of_user: dict[str, set[str]] = {}
    for row in table:
        of_user.setdefault(row["user"], set()).add(row["split"])
    assert len(of_user) == 60
    assert all(len(found) == 1 for found in of_user.values())
    assert len({next(iter(found)) for found in of_user.values()}) == 3


def test_near_duplicates_lie_on_one_side_across_parts(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first = [(f"Great film, number {number}!", "ab"[number % 2]) for number in range(60)]
    second = [(f"great film -- NUMBER {number}", label) for number, (_, label) in enumerate(first)]
    done = split(in_parts(run, [first, second]), loose(), run)
    found = column(done, "split")
    assert found[:60] == found[60:]
    assert run.details["leakage"]["tied_pairs"] == {"exact twins": 0, "near duplicates": 60}
    apart = split(in_parts(run, [first, second]), loose(near_duplicates=False), Run(store=run.store))
    assert column(apart, "split")[:60] != column(apart, "split")[60:]


def test_texts_of_signs_alone_are_not_all_one_text(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    split(labelled(run, [("!!!", "a"), ("???", "b"), ("🎉", "a")]), loose(), run)
    assert run.details["groups"]["count"] == 3


def test_rows_hang_together_through_any_chain_of_ties(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    rows = [("one", "a", "u1"), ("two", "b", "u1"), ("TWO!", "a", "u2"), ("three", "b", "u2"), ("four", "a", "")]
    done = split(labelled(run, rows, ("text", "label", "user")), loose(group="user"), run)
    assert len(set(column(done, "split")[:4])) == 1
    heads = column(done, "group_head")
    assert heads == [None, *[column(done, "row_id")[0]] * 3, None]
    assert run.details["groups"] == {"columns": ["user"], "count": 2, "of_several_rows": 1, "largest": 4}


PROPERTY = settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


@PROPERTY
@given(st.integers(2, 40), st.integers(0, 40), st.integers(0, 3))
def test_rows_that_are_appended_move_no_earlier_one(tmp_path: Path, count: int, more: int, seed: int) -> None:
    run = new_run(tmp_path)
    before = sides(split(labelled(run, texts(count)), loose(seed=seed), run))
    after = sides(split(labelled(run, texts(count + more)), loose(seed=seed), Run(store=run.store)))
    assert before.items() <= after.items()


@PROPERTY
@given(st.lists(st.sampled_from(["a b", "A b!", "c", "C.", "d", "e f", "E-F", "g"]), min_size=1, max_size=20))
def test_no_text_lies_on_two_sides(tmp_path: Path, drawn: list[str]) -> None:
    run = new_run(tmp_path)
    done = split(
        labelled(run, [(text, "x" if n % 2 else "y") for n, text in enumerate(["q", "r", *drawn])]), loose(), run
    )
    found: dict[str, set[object]] = {}
    for text, side in zip(column(done, "text"), column(done, "split"), strict=True):
        found.setdefault("".join(c for c in str(text).lower() if c.isalnum()), set()).add(side)
    assert all(len(each) == 1 for each in found.values())


def with_recorded(run: Run, dataset: Dataset, more: list[tuple[str, str]]) -> Dataset:
    """The Dataset of an earlier split with rows appended that have no side yet."""
    new = labelled(run, more)
    names = [column.name for column in dataset.columns]
    old = dataset.read(names)
    added = new.read([name for name in names if new.has(name)])
    for name in names:
        if name not in added.column_names:
            added = added.append_column(name, pa.nulls(added.num_rows, old.schema.field(name).type))
    writer = run.store.new_dataset(dataset.columns)
    writer.write(old)
    writer.write(added.select(names))
    return writer.finish()


def test_a_new_row_inherits_side_and_head_of_what_it_is_tied_to(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first = split(labelled(run, texts(50)), loose(), run)
    again = split(
        with_recorded(run, first, [(f"TEXT of row {n}!", "a") for n in range(50)]),
        loose(seed=9),  # the recorded sides hold, whatever the seed is now
        Run(store=run.store),
    )
    found, heads = column(again, "split"), column(again, "group_head")
    assert found[:50] == column(first, "split")
    assert found[50:] == found[:50]
    assert heads[50:] == column(first, "row_id")


def test_a_new_row_that_ties_two_sides_together_is_set_aside_and_named(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    rows = [(*row, f"user {number}") for number, row in enumerate(texts(60))]
    first = split(labelled(run, rows, ("text", "label", "user")), loose(group="user"), run)
    found = column(first, "split")
    train, test = found.index("train"), found.index("test")
    names = [c.name for c in first.columns]
    bridge = labelled(run, [(f"TEXT of row {train}", "a", f"user {test}")], ("text", "label", "user"))
    added = bridge.read([name for name in names if bridge.has(name)])
    for name in ("split", "group_head"):
        added = added.append_column(name, pa.nulls(1, first.read([name]).schema.field(name).type))
    writer = run.store.new_dataset(first.columns)
    writer.write(first.read(names))
    writer.write(added.select(names))
    again_run = Run(store=run.store)
    again = split(writer.finish(), loose(group="user"), again_run)
    assert sides(again) == sides(first)
    (aside,) = again_run.details["set_aside"]
    assert aside["row_id"] == show_row_id(column(bridge, "row_id")[0])  # type: ignore[arg-type]
    ids = [show_row_id(row_id) for row_id in column(first, "row_id")]  # type: ignore[arg-type]
    assert ids[train] in aside["reason"] and ids[test] in aside["reason"]


def test_a_split_survives_materialize_and_ingest(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    first = split(labelled(run, texts(50)), loose(), run)
    back = ingest(materialize(first, tmp_path / "out"), IngestConfig(), Run(store=run.store))
    again = split(back, loose(seed=5), Run(store=run.store))
    assert sides(again) == sides(first)


def own_split(tmp_path: Path, rows: list[tuple[str, str, str]]) -> tuple[Run, Dataset]:
    run = new_run(tmp_path)
    return run, labelled(run, rows, ("text", "label", "split"))


def test_the_split_of_the_source_is_kept(tmp_path: Path) -> None:
    given_sides = ["train", "test", "validation"] * 4
    run, dataset = own_split(tmp_path, [(f"text {n}", "ab"[n // 3 % 2], side) for n, side in enumerate(given_sides)])
    assert column(split(dataset, SplitConfig(), run), "split") == given_sides
    anew = split(dataset, loose(keep_split=False), Run(store=run.store))
    assert column(anew, "split") != given_sides


def test_train_rows_that_leak_into_the_test_side_of_the_source_are_set_aside(tmp_path: Path) -> None:
    rows = [(f"text {n}", "ab"[n % 2], "train") for n in range(40)]
    rows += [("TEXT 3!", "b", "test"), ("own a", "a", "test"), ("v b", "b", "validation"), ("v a", "a", "validation")]
    run, dataset = own_split(tmp_path, rows)
    run.listener = heard = Heard()
    done = split(dataset, SplitConfig(balance="off"), run)
    assert "text 3" not in column(done, "text")
    assert "TEXT 3!" in column(done, "text")
    (aside,) = run.details["set_aside"]
    ids = [show_row_id(row_id) for row_id in column(dataset, "row_id")]  # type: ignore[arg-type]
    assert aside == {"row_id": ids[3], "reason": f"train row tied to test row {ids[40]}"}
    assert run.details["leakage"]["groups_on_two_sides"] == 0
    assert any("would leak" in line for line in heard.warned)


def test_a_source_that_leaks_too_much_stops_the_chain(tmp_path: Path) -> None:
    rows = [(f"text {n % 4}", "ab"[n % 2], ("train", "test")[n // 4]) for n in range(8)]
    run, dataset = own_split(tmp_path, rows)
    with pytest.raises(GateFailed, match="4 of 8 rows lie across the sides") as error:
        split(dataset, loose(), run)
    assert "keep_split" in (error.value.next or "")


def test_one_class_only_is_an_error(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(BadInput, match="all rows have one label, a"):
        split(labelled(run, [(f"text {n}", "a") for n in range(50)]), loose(), run)


def test_a_side_without_a_class_names_side_class_and_rows(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    rows = [*texts(200), ("the only one", "rare")]
    with pytest.raises(BadInput, match=r"has 0 rows of class rare, at least 1 are needed \(1 rows of it in all\)"):
        split(labelled(run, rows), SplitConfig(balance="off"), run)


def test_uneven_classes_warn_with_the_rows_that_are_missing(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    rows = [(f"text {n}", "big" if n < 200 else "small") for n in range(300)]
    split(labelled(run, rows), SplitConfig(), run)
    assert run.figures["class_imbalance"].value == 0.5
    assert run.details["missing_rows"] == {"small": 60}
    assert any("small has 100 rows and lacks 60" in line for line in heard.warned)
    with pytest.raises(GateFailed, match="class counts differ by 50%"):
        split(labelled(run, rows), SplitConfig(balance="stop"), Run(store=run.store))


def test_the_twenty_per_cent_rule_by_hand() -> None:
    assert imbalance({"a": 100, "b": 80}) == pytest.approx(0.2)
    assert missing_rows({"a": 100, "b": 80}, 0.2) == {}
    assert missing_rows({"a": 100, "b": 79, "c": 10}, 0.2) == {"b": 1, "c": 70}


def test_a_side_is_the_same_on_every_machine_and_day() -> None:
    found = hashed_sides([bytes([n]) * 20 for n in range(12)], Shares(), 0).tolist()
    assert [n for n, side in enumerate(found) if side == SIDES.index("test")] == [0, 5, 11]
    assert found.count(SIDES.index("train")) == 9


def test_the_ordinal_of_a_twin_plays_no_part() -> None:
    first, second = ([bytes([n]) * 16 + bytes([end]) * 4 for n in range(50)] for end in (0, 9))
    assert hashed_sides(first, Shares(), 0).tolist() == hashed_sides(second, Shares(), 0).tolist()


def test_shares_that_do_not_add_up_are_refused() -> None:
    with pytest.raises(BadConfig, match=r"add up to 1\.1"):
        validate(SplitConfig, {"shares": {"train": 0.9}}, "modelyard.yaml")


def test_a_group_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(BadInput, match="no column user"):
        split(labelled(run, texts(10)), loose(group="user"), run)


@given(st.integers(1, 30).flatmap(lambda n: st.tuples(st.just(n), st.lists(st.tuples(*[st.integers(0, n - 1)] * 2)))))
def test_components_agree_with_a_walk_over_the_graph(drawn: tuple[int, list[tuple[int, int]]]) -> None:
    size, pairs = drawn
    near: dict[int, set[int]] = {n: {n} for n in range(size)}
    for a, b in pairs:
        near[a].add(b)
        near[b].add(a)
    for start, root in enumerate(components(size, np.array(pairs, dtype=np.int64).reshape(-1, 2)).tolist()):
        reached, edge = {start}, [start]
        while edge:
            edge = [n for e in edge for n in near[e] if n not in reached and not reached.add(n)]  # type: ignore[func-returns-value]
        assert root == min(reached)


@pytest.mark.parametrize(("label", "done"), [("ties", 2), ("split", 0), ("split", 2)])
def test_a_stopped_run_goes_on_and_ends_as_an_unbroken_one(tmp_path: Path, label: str, done: int) -> None:
    parts = [texts(30), [("TEXT of row 3!", "a"), *texts(9, 30)], texts(10, 39)]
    unbroken = new_run(tmp_path / "a")
    expected = split(in_parts(unbroken, parts), loose(strata="label"), unbroken)
    store = new_run(tmp_path / "b").store
    dataset = in_parts(Run(store=store), parts)
    with pytest.raises(Cancelled):
        split(dataset, loose(strata="label"), Run(store=store, listener=StopsAt(label, done)))
    heard = Heard()
    run = Run(store=store, listener=heard)
    assert split(dataset, loose(strata="label"), run).digest == expected.digest
    assert ("the sides of 2 of 3 parts are there already" in heard.said) == ((label, done) == ("split", 2))
    assert (run.details, run.figures) == (unbroken.details, unbroken.figures)
    assert list(run.scratch("split").iterdir()) == []


def test_another_seed_does_not_go_on_from_what_was_stopped(tmp_path: Path) -> None:
    store = new_run(tmp_path).store
    dataset = in_parts(Run(store=store), [texts(60), texts(60, 60)])
    with pytest.raises(Cancelled):
        split(dataset, loose(), Run(store=store, listener=StopsAt("split", 2)))
    again = sides(split(dataset, loose(seed=5), Run(store=store)))
    assert again == sides(split(dataset, loose(seed=5), Run(store=store, key="other")))
    assert again != sides(split(dataset, loose(), Run(store=store, key="other")))
