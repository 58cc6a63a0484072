"""Dataset: parts and layers aligned by position, named by their content, refused when damaged."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from modelyard.errors import BadInput, Damaged, Fault
from modelyard.store import Column, Dataset, Store
from modelyard.store.dataset import parse_row_id, show_row_id

COLUMNS = [Column("text", "text", "input"), Column("label", "label", "target", ("a", "b")), Column("n", "value")]


def part(*texts: str) -> pa.Table:
    return pa.table({"text": texts, "label": ["a"] * len(texts), "n": [str(n) for n in range(len(texts))]})


def two_parts(store: Store) -> Dataset:
    writer = store.new_dataset(COLUMNS)
    writer.write(part("one", "two"))
    writer.write(part("three"))
    return writer.finish()


def texts(dataset: Dataset) -> list[str]:
    found: list[str] = dataset.read(["text"])["text"].to_pylist()
    return found


def with_layer(store: Store, dataset: Dataset) -> Dataset:
    """Texts in capitals, and the second row of the first part dropped."""
    layer = store.layer(dataset, "clean", [Column("text", "text", "input"), Column("why", "value", "system")])
    for view, keep in zip(dataset.views(), ([True, False], [True]), strict=True):
        before = view.read(["text"], dropped=True)["text"].to_pylist()
        layer.write(
            view,
            {"text": pa.array([text.upper() for text in before]), "why": pa.array([None] * len(before), pa.string())},
            np.array(keep),
        )
    return layer.finish()


def test_a_manifest_read_back_is_the_same_dataset(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = with_layer(store, two_parts(store))
    again = Store(tmp_path).dataset(dataset.digest)
    assert again == dataset
    assert again.columns == dataset.columns
    assert texts(again) == ["ONE", "THREE"]


def test_some_of_the_rows_that_have_a_value_are_read_from_everywhere(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = two_parts(store)
    assert dataset.read(["text"], {"n": "0"})["text"].to_pylist() == ["one", "three"]
    assert dataset.read(["text"], {"n": "0"}, rows=1)["text"].to_pylist() == ["three"]
    assert dataset.read(["text"], rows=2)["text"].to_pylist() == ["one", "three"]
    assert dataset.read(["text"], rows=9)["text"].to_pylist() == dataset.read(["text"])["text"].to_pylist()


def test_the_digest_is_of_the_content_alone(tmp_path: Path) -> None:
    one, two = two_parts(Store(tmp_path / "one")), two_parts(Store(tmp_path / "two"))
    assert one.digest == two.digest
    store = Store(tmp_path / "three")
    writer = store.new_dataset(COLUMNS)
    writer.write(part("one", "other"))
    writer.write(part("three"))
    assert writer.finish().digest != one.digest


def test_a_layer_replaces_adds_and_selects_and_leaves_what_lies_below(tmp_path: Path) -> None:
    store = Store(tmp_path)
    below = two_parts(store)
    above = with_layer(store, below)
    assert texts(below) == ["one", "two", "three"]
    assert texts(above) == ["ONE", "THREE"]
    assert above.read(["n"])["n"].to_pylist() == ["0", "0"]
    assert (below.rows(), above.rows()) == (3, 2)
    assert [column.name for column in above.columns] == ["text", "label", "n", "why"]
    (first, _) = above.views()
    assert first.read(["text"], dropped=True)["text"].to_pylist() == ["ONE", "TWO"]


def test_selections_of_several_layers_add_up(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = with_layer(store, two_parts(store))
    layer = store.layer(dataset, "next")
    for view, keep in zip(dataset.views(), ([False, True], [True]), strict=True):
        layer.write(view, {}, np.array(keep))
    assert texts(layer.finish()) == ["THREE"]


def test_rows_are_read_by_the_value_of_a_column(tmp_path: Path) -> None:
    dataset = two_parts(Store(tmp_path))
    assert dataset.read(["text"], where={"n": "0"})["text"].to_pylist() == ["one", "three"]


def test_a_layer_must_hold_every_row_of_every_part_in_order(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = two_parts(store)
    first, second = dataset.views()
    added = [Column("x", "value")]
    with pytest.raises(Fault, match="1 rows for a part of 2"):
        store.layer(dataset, "short", added).write(first, {"x": pa.array(["1"])})
    with pytest.raises(Fault, match="out of order"):
        store.layer(dataset, "order", added).write(second, {"x": pa.array(["1"])})
    half = store.layer(dataset, "half", added)
    half.write(first, {"x": pa.array(["1", "2"])})
    with pytest.raises(Fault, match="1 of 2 parts"):
        half.finish()
    with pytest.raises(Fault, match="a selection for some parts"):
        half.write(second, {"x": pa.array(["3"])}, np.array([True]))


def test_a_part_has_the_columns_of_the_dataset(tmp_path: Path) -> None:
    writer = Store(tmp_path).new_dataset(COLUMNS)
    with pytest.raises(Fault, match="a part has columns"):
        writer.write(part("x").drop_columns(["n"]))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = two_parts(store)
    digest = dataset.parts[1].files[0].digest
    store.object(digest, "parquet").unlink()
    with pytest.raises(Damaged, match=f"{digest}.parquet is missing"):
        dataset.read(["text"])


def test_a_file_of_another_length_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = two_parts(store)
    (long, short) = (store.object(p.files[0].digest, "parquet") for p in dataset.parts)
    short.write_bytes(long.read_bytes())
    with pytest.raises(Damaged, match="holds 2 rows, the manifest says 1"):
        dataset.read(["text"])


def test_a_file_that_is_not_parquet_any_more_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    dataset = two_parts(store)
    path = store.object(dataset.parts[0].files[0].digest, "parquet")
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(Damaged, match=r"cannot be read"):
        dataset.read(["text"])


def test_a_manifest_that_was_changed_is_damaged(tmp_path: Path) -> None:
    store = Store(tmp_path)
    digest = two_parts(store).digest
    path = tmp_path / "datasets" / f"{digest}.json"
    manifest = json.loads(path.read_bytes())
    manifest["parts"].pop()
    path.write_text(json.dumps(manifest))
    with pytest.raises(Damaged, match="does not match its digest"):
        store.dataset(digest)
    path.write_text("{")
    with pytest.raises(Damaged, match="not JSON"):
        store.dataset(digest)
    with pytest.raises(Damaged, match="not in the store"):
        store.dataset("0" * 64)


def test_the_only_column_of_a_role_is_found_or_what_there_is_is_named(tmp_path: Path) -> None:
    dataset = two_parts(Store(tmp_path))
    assert dataset.the("input", "text").name == "text"
    assert dataset.the("target", "label").classes == ("a", "b")
    with pytest.raises(BadInput, match="the dataset has 0"):
        dataset.the("input", "image")
    with pytest.raises(BadInput) as error:
        dataset.column("txt")
    assert error.value.next == "its columns are text, label, n"


@pytest.mark.parametrize(("ordinal", "shown"), [(0, "00" * 15 + "ff"), (1, "00" * 15 + "ff.1"), (70000, None)])
def test_a_row_id_is_shown_and_parsed(ordinal: int, shown: str | None) -> None:
    row_id = bytes(15) + b"\xff" + ordinal.to_bytes(4, "big")
    assert parse_row_id(show_row_id(row_id)) == row_id
    assert shown in (None, show_row_id(row_id))


@pytest.mark.parametrize("wrong", ["", "abc", "00" * 15, "zz" * 16, "00" * 16 + ".x", "00" * 16 + ".-1", "00" * 17])
def test_what_is_no_row_id_is_refused(wrong: str) -> None:
    with pytest.raises(BadInput, match="is not a row id"):
        parse_row_id(wrong)


def test_columns_that_come_later_lie_in_a_second_file_of_each_part_and_read_as_any_other(tmp_path: Path) -> None:
    store = Store(tmp_path)
    writer = store.new_dataset(COLUMNS, later=["n"])
    parts = [part("one", "two"), part("three")]
    first = [writer.write(each.drop_columns(["n"])) for each in parts]
    with pytest.raises(Fault, match=r"part 0 lacks the columns \['n'\]"):
        writer.finish()
    for index, each in enumerate(parts):
        writer.add(index, each.select(["n"]))
    dataset = writer.finish()
    assert dataset.read(["n", "text", "label"]) == two_parts(store).read(["n", "text", "label"])
    assert texts(with_layer(store, dataset)) == ["ONE", "THREE"]
    assert [each.files[0] for each in dataset.parts] == [each.files[0] for each in first]
    assert store.dataset(dataset.digest) == dataset


def test_later_columns_of_another_length_are_a_fault(tmp_path: Path) -> None:
    writer = Store(tmp_path).new_dataset(COLUMNS, later=["n"])
    writer.write(part("one", "two").drop_columns(["n"]))
    with pytest.raises(Fault, match="part 0: 1 rows"):
        writer.add(0, pa.table({"n": ["1"]}))


def test_parts_that_are_there_stay_as_they_are_when_more_follow(tmp_path: Path) -> None:
    store = Store(tmp_path)
    before = two_parts(store)
    writer = store.new_dataset(COLUMNS)
    writer.go_on(before.parts)
    writer.write(part("four"))
    after = writer.finish()
    assert after.parts[:2] == before.parts
    assert texts(after) == ["one", "two", "three", "four"]
