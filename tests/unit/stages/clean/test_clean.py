"""The stage: what is repaired and dropped, across parts, with a reason for each."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelyard.config import validate
from modelyard.errors import BadConfig, GateFailed
from modelyard.run import Cancelled, Run
from modelyard.stages.clean import CleanConfig, clean
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID_TYPE, show_row_id
from tests.rows import Heard, StopsAt, column, in_parts, labelled, new_run, write_csv

LOOSE = CleanConfig(max_dropped=1.0)


def test_the_first_of_exact_duplicates_stays_across_parts(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    dataset = in_parts(run, [[("same", "x"), ("one", "y")], [("two", "x"), ("  same ", "x")], [("same", "x")]])
    cleaned = clean(dataset, LOOSE, run)
    assert column(cleaned, "text") == ["same", "one", "two"]
    assert run.details["dropped"] == {"exact duplicate": 2}
    ids = dataset.read(["row_id"])["row_id"].to_pylist()
    assert run.details["dropped_examples"] == [
        {"row_id": show_row_id(ids[3]), "line": 5, "reason": "exact duplicate", "text": "same"},
        {"row_id": show_row_id(ids[4]), "line": 6, "reason": "exact duplicate", "text": "same"},
    ]


def test_texts_with_conflicting_labels_all_go_under_a_reason_of_their_own(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    cleaned = clean(labelled(run, [("same", "x"), ("other", "x"), ("same", "y"), ("same", "x")]), LOOSE, run)
    assert column(cleaned, "text") == ["other"]
    assert run.details["dropped"] == {"conflicting labels": 3}


def test_dropped_rows_stay_readable_with_their_reason(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    cleaned = clean(labelled(run, [("same", "x"), ("same", "x"), ("\x07\x07", "y"), ("z", "y")]), LOOSE, run)
    (view,) = cleaned.views()
    table = view.read(["text", "clean_reason"], dropped=True)
    assert table["clean_reason"].to_pylist() == [None, "exact duplicate", "empty after cleaning", None]
    assert column(cleaned, "clean_reason") == [None, None]
    assert (run.figures["rows_in"].value, run.figures["rows_out"].value) == (4, 2)


def test_repairs_are_counted_by_reason_and_the_row_id_stays(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    dataset = labelled(run, [("cafÃ©", "x"), ("a\x07b", "y"), ("cafe\u0301s", "x"), ("a  b", "y")])
    cleaned = clean(dataset, CleanConfig(rules=("mojibake", "nfc", "control_characters", "whitespace")), run)
    assert column(cleaned, "text") == ["café", "ab", "cafés", "a b"]
    assert run.details["repaired"] == {"Unicode NFC": 1, "control characters": 1, "mojibake": 1, "whitespace": 1}
    assert column(cleaned, "row_id") == column(dataset, "row_id")


def test_a_second_cleaning_sees_only_the_rows_that_are_left(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    once = clean(in_parts(run, [[("b b", "x"), ("b b", "x")], [("c", "x"), ("d  d", "y")]]), LOOSE, run)
    again_run = Run(store=run.store)
    again = clean(once, CleanConfig(), again_run)
    assert again_run.details["dropped"] == {}
    assert column(again, "text") == ["b b", "c", "d d"]
    (first, _) = again.views()
    assert first.read(["text"], dropped=True)["text"].to_pylist() == ["b b", "b b"]


def test_too_many_dropped_rows_stop_the_chain(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(GateFailed, match=r"2 of 4 rows would be dropped \(50%, the bar is 20%\)") as error:
        clean(labelled(run, [("a", "x"), ("a", "x"), ("a", "x"), ("b", "y")]), CleanConfig(), run)
    assert (error.value.value, error.value.bar) == (0.5, 0.2)
    assert "exact duplicate" in error.value.message
    assert run.details["dropped"] == {"exact duplicate": 2}
    assert not (run.store.scratch("run") / "clean").exists()


def test_the_same_rows_give_the_same_digest(tmp_path: Path) -> None:
    rows = [(f"text {number % 7}  x", "ab"[number % 7 % 2]) for number in range(30)]
    digests = set()
    for name in ("one", "two"):
        run = new_run(tmp_path / name)
        digests.add(clean(labelled(run, rows), LOOSE, run).digest)
    assert len(digests) == 1


def test_a_rule_that_is_not_there_names_the_nearest() -> None:
    with pytest.raises(BadConfig, match="did you mean mojibake"):
        validate(CleanConfig, {"rules": ["mojibaque"]}, "modelyard.yaml")


def test_without_the_duplicate_rule_duplicates_stay(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    cleaned = clean(labelled(run, [("a", "x"), ("a", "y")]), CleanConfig(rules=()), run)
    assert column(cleaned, "text") == ["a", "a"]


def test_a_test_set_that_came_with_the_data_loses_no_row_to_the_train_side(tmp_path: Path) -> None:
    (tmp_path / "source" / "data").mkdir(parents=True)
    for side, texts in (("train", ["same", "one", "two"]), ("test", ["same", "three"])):
        table = pa.table({"text": texts, "label": ["x"] * len(texts)})
        pq.write_table(table, tmp_path / "source" / "data" / f"{side}-00000-of-00001.parquet")
    run = new_run(tmp_path)
    cleaned = clean(ingest(tmp_path / "source", IngestConfig(), run), LOOSE, run)
    kept = cleaned.read(["text", "split"]).to_pylist()
    assert sorted((row["split"], row["text"]) for row in kept) == [
        ("test", "same"),
        ("test", "three"),
        ("train", "one"),
        ("train", "two"),
    ]


def pairs(run: Run, rows: list[tuple[str, str, float | None]], target: bool = True) -> Dataset:
    """Pairs of texts and how near they are, a part for every two rows."""
    columns = [
        Column("one", "text", "input", public="text_a"),
        Column("two", "text", "input", public="text_b"),
        *([Column("near", "number", "target", public="score")] if target else []),
        Column("row_id", "value", "system"),
    ]
    writer = run.store.new_dataset(columns)
    for start in range(0, len(rows), 2):
        some = rows[start : start + 2]
        table = {
            "one": pa.array([row[0] for row in some], pa.large_string()),
            "two": pa.array([row[1] for row in some], pa.large_string()),
            "row_id": pa.array([(start + place).to_bytes(20, "big") for place in range(len(some))], ROW_ID_TYPE),
        }
        if target:
            table["near"] = pa.array([row[2] for row in some], pa.float64())
        writer.write(pa.table(table))
    return writer.finish()


def test_of_pairs_both_texts_are_repaired_and_only_equal_pairs_are_twins(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    dataset = pairs(run, [("cafÃ©", "b", 1.0), ("a", "b", 2.0), ("b", "a", 3.0), ("café", " b", 1.0), ("a", "c", 2.0)])
    cleaned = clean(dataset, LOOSE, run)
    assert column(cleaned, "one") == ["café", "a", "b", "a"]
    assert column(cleaned, "two") == ["b", "b", "a", "c"]
    assert run.details["dropped"] == {"exact duplicate": 1}
    assert [(change["column"], change["after"]) for change in run.details["repaired_examples"]] == [
        ("one", "café"),
        ("two", "b"),
    ]


def test_where_numbers_of_one_pair_differ_the_first_stays_and_the_others_have_a_reason(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    cleaned = clean(pairs(run, [("a", "b", 1.0), ("a", "b", 4.0), ("a", "b", 1.0), ("c", "d", 2.0)]), LOOSE, run)
    assert column(cleaned, "near") == [1.0, 2.0]
    assert run.details["dropped"] == {"conflicting targets": 1, "exact duplicate": 1}


def test_rows_without_a_target_are_twins_by_their_texts_alone(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    cleaned = clean(pairs(run, [("a", "b", None), ("c", "d", None), ("a", "b", None)], target=False), LOOSE, run)
    assert column(cleaned, "one") == ["a", "c"]
    assert run.details["dropped"] == {"exact duplicate": 1}


def test_twins_are_found_whatever_the_number_of_partitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [(f"text {n % 37}", "x") for n in range(100)]
    kept = []
    for size in (1 << 19, 7):
        monkeypatch.setattr("modelyard.store.spill.PARTITION_ROWS", size)
        run = new_run(tmp_path / str(size))
        kept.append(column(clean(in_parts(run, [rows[:40], rows[40:41], rows[41:]]), LOOSE, run), "text"))
    assert kept[0] == kept[1] == [f"text {n}" for n in range(37)]


FOUR = [[("one  1", "x"), ("same", "y")], [("two\x072", "x")], [("same", "y"), ("\x07", "x")], [("four  4", "y")]]


def test_a_stopped_run_goes_on_behind_its_last_part_and_ends_as_an_unbroken_one(tmp_path: Path) -> None:
    unbroken = new_run(tmp_path / "a")
    expected = clean(in_parts(unbroken, FOUR), LOOSE, unbroken)
    store = new_run(tmp_path / "b").store
    dataset = in_parts(Run(store=store), FOUR)
    for done, label in ((2, "clean"), (3, "clean"), (1, "duplicates")):
        with pytest.raises(Cancelled):
            clean(dataset, LOOSE, Run(store=store, listener=StopsAt(label, done)))
    heard = Heard()
    run = Run(store=store, listener=heard)
    assert clean(dataset, LOOSE, run).digest == expected.digest
    assert heard.said == ["4 of 4 parts are clean already"]
    assert (run.details, run.figures) == (unbroken.details, unbroken.figures)
    assert list(run.scratch("clean").iterdir()) == []


def test_parts_of_other_rules_or_that_are_gone_from_the_store_are_cleaned_again(tmp_path: Path) -> None:
    store = new_run(tmp_path).store
    dataset = in_parts(Run(store=store), FOUR)
    with pytest.raises(Cancelled):
        clean(dataset, LOOSE, Run(store=store, listener=StopsAt("clean", 3)))
    other, heard = CleanConfig(rules=("whitespace",), max_dropped=1.0), Heard()
    cleaned = clean(dataset, other, Run(store=store, listener=heard))
    assert column(cleaned, "text") == ["one 1", "same", "two\x072", "same", "\x07", "four 4"]
    assert heard.said == []
    with pytest.raises(Cancelled):
        clean(dataset, LOOSE, Run(store=store, listener=StopsAt("clean", 3)))
    known = {*dataset.files(), *cleaned.files()}
    made = [path for path in sorted(store.root.rglob("objects/*/*.parquet")) if path.stem not in known]
    for path in made:
        path.unlink()
    assert column(clean(dataset, LOOSE, Run(store=store)), "text") == ["one 1", "same", "two2", "four 4"]


def test_a_twin_without_a_label_goes_and_the_one_with_it_stays(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    rows = [("a film", ""), ("a film", "good"), ("a book", ""), ("a book", ""), ("a song", "bad"), ("a song", "good")]
    path = write_csv(tmp_path / "some.csv", ("text", "label"), rows)
    dataset = ingest(path, IngestConfig(unlabelled=True), Run(store=run.store))
    cleaned = clean(dataset, LOOSE, run)
    assert list(zip(column(cleaned, "text"), column(cleaned, "label"), strict=True)) == [
        ("a film", "good"),
        ("a book", None),
    ]
    assert run.details["dropped"] == {"conflicting labels": 2, "exact duplicate": 2}
