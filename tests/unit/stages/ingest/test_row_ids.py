"""row_id: of the content of the inputs, and of nothing else; which of its twins a row is, told from disk."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.fields import FIELDS
from modelyard.stages.ingest import ColumnNames, IngestConfig, ingest
from modelyard.stages.ingest.twins import Twins
from modelyard.store import Column
from modelyard.store.row_ids import row_hash, row_hashes
from tests.rows import column, labelled, new_run, write_csv

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=3), max_size=30)
PARTS = st.lists(st.lists(st.sampled_from("abcdefgh"), min_size=1, max_size=12), max_size=4)
TEXT = [Column("text", "text", "input")]


def minted(parts: Sequence[Sequence[str]], partitions: int = 3, first: int = 0) -> list[bytes]:
    """The ids of the rows of the parts from `first` on."""
    with TemporaryDirectory() as folder:
        twins = Twins(Path(folder), partitions)
        for texts in parts:
            table = pa.table({"text": pa.array(texts, pa.large_string())})
            twins.add(row_hashes(table, TEXT, FIELDS))
        return [row_id for part in twins.ids(first) for row_id in part.to_pylist()] if parts else []


def by_a_dict(texts: Sequence[str]) -> list[bytes]:
    """The rule, with a key of every distinct row in memory."""
    seen: Counter[bytes] = Counter()
    ids = []
    for text in texts:
        key = row_hash([text.encode()])
        ids.append(key + seen[key].to_bytes(4, "big"))
        seen[key] += 1
    return ids


def test_the_hash_is_the_one_that_the_docstring_says() -> None:
    expected = hashlib.blake2b(b"\0\0\0\0\0\0\0\x03abc\0\0\0\0\0\0\0\x00", digest_size=16).digest()
    assert row_hash([b"abc", b""]) == expected


def test_fields_do_not_run_into_each_other() -> None:
    assert row_hash([b"ab", b"c"]) != row_hash([b"a", b"bc"])


def test_inputs_are_hashed_in_the_order_of_their_names() -> None:
    table = pa.table({"b": ["second"], "a": ["first"], "label": ["x"]})
    columns = [Column("b", "text", "input"), Column("label", "label", "target"), Column("a", "text", "input")]
    assert row_hashes(table, columns, FIELDS).tobytes() == row_hash([b"first", b"second"])


@settings(deadline=None, max_examples=25)
@given(PARTS, st.sampled_from([1, 2, 5]))
def test_ids_are_those_of_the_plain_rule_however_rows_are_cut_and_spread(
    parts: list[list[str]], partitions: int
) -> None:
    assert minted(parts, partitions) == by_a_dict([text for part in parts for text in part])


@settings(deadline=None, max_examples=25)
@given(PARTS, st.data())
def test_parts_that_were_there_count_and_are_not_made_again(parts: list[list[str]], data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(parts)))
    before = sum(len(part) for part in parts[:first])
    assert minted(parts, first=first) == by_a_dict([text for part in parts for text in part])[before:]


@settings(deadline=None, max_examples=25)
@given(TEXTS, st.randoms())
def test_order_decides_only_between_twins(texts: list[str], random: object) -> None:
    shuffled = texts[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sorted(minted([shuffled])) == sorted(minted([texts]))


def test_label_column_name_meta_and_file_name_are_not_in_the_id(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    one = labelled(run, [("a text", "x"), ("another", "y")])
    path = write_csv(tmp_path / "other.csv", ["mark", "review", "n"], [["y", "a text", "1"], ["x", "another", "2"]])
    two = ingest(path, IngestConfig(columns=ColumnNames(text="review", label="mark")), run)
    assert column(one, "row_id") == column(two, "row_id")
