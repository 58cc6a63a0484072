"""row_id: of the content of the inputs, and of nothing else."""

from __future__ import annotations

import hashlib
from collections import Counter
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from modelyard.fields import FIELDS
from modelyard.stages.ingest import ColumnNames, IngestConfig, ingest
from modelyard.stages.ingest.row_ids import RowIds, row_hash
from tests.rows import column, labelled, new_run, write_csv

TEXTS = st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=30)


def minted(texts: list[str]) -> list[bytes]:
    ids: list[bytes] = RowIds([FIELDS["text"]]).mint([texts]).to_pylist()
    return ids


def test_the_hash_is_the_one_that_the_docstring_says() -> None:
    expected = hashlib.blake2b(b"\0\0\0\0\0\0\0\x03abc\0\0\0\0\0\0\0\x00", digest_size=16).digest()
    assert row_hash([b"abc", b""]) == expected


def test_fields_do_not_run_into_each_other() -> None:
    assert row_hash([b"ab", b"c"]) != row_hash([b"a", b"bc"])


@given(TEXTS)
def test_ids_are_distinct_and_twins_share_the_hash(texts: list[str]) -> None:
    ids = minted(texts)
    assert len(set(ids)) == len(ids)
    assert len({row_id[:16] for row_id in ids}) == len(set(texts))
    counts: Counter[str] = Counter()
    for text, row_id in zip(texts, ids, strict=True):
        assert int.from_bytes(row_id[16:], "big") == counts[text]
        counts[text] += 1


@given(TEXTS, TEXTS)
def test_rows_appended_change_no_earlier_id(texts: list[str], more: list[str]) -> None:
    assert minted(texts + more)[: len(texts)] == minted(texts)


@given(TEXTS, st.randoms())
def test_order_decides_only_between_twins(texts: list[str], random: object) -> None:
    shuffled = texts[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert sorted(minted(shuffled)) == sorted(minted(texts))


def test_label_column_name_meta_and_file_name_are_not_in_the_id(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    one = labelled(run, [("a text", "x"), ("another", "y")])
    path = write_csv(tmp_path / "other.csv", ["mark", "review", "n"], [["y", "a text", "1"], ["x", "another", "2"]])
    two = ingest(path, IngestConfig(columns=ColumnNames(text="review", label="mark")), run)
    assert column(one, "row_id") == column(two, "row_id")
