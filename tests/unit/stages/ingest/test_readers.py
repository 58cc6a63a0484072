"""Readers: what stands behind any batch is read the same by a reader that starts there."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from contextlib import ExitStack
from encodings.aliases import aliases
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.errors import BadInput
from modelyard.stages.ingest import IngestConfig
from modelyard.stages.ingest.batch import Position, RawBatch, Source
from modelyard.stages.ingest.layout import find_format
from modelyard.stages.ingest.opening import open_rows, open_source
from modelyard.stages.ingest.text_files.lines import character_unit
from tests.rows import READERS

ENCODINGS = ("utf-8", "utf-8-sig", "gb18030", "utf-16", "utf-16-be", "utf-32", "cp1252")
# What files are made of: cells that are quoted as they should be, as they should not be, and lines that are no row.
PLAIN_CELL = st.text(st.characters(codec="cp1252", exclude_characters='",\r\n'), max_size=6)
CELL = st.one_of(
    PLAIN_CELL,
    st.sampled_from(["", "中文" * 3, "é", "a\u2028b", "\x85", "x\x0cy", "\U00020bb7"]),
    st.text(st.sampled_from('ab",\n\r '), max_size=6).map(lambda text: '"' + text.replace('"', '""') + '"'),
    st.sampled_from(['"', '"open', 'in"side', '"a"b', '""', "a\rb", "x" * 30, '"' + "y" * 30 + '"']),
)
ROW = st.lists(CELL, min_size=1, max_size=4).map(",".join)
LINE = st.one_of(st.tuples(PLAIN_CELL, PLAIN_CELL).map(",".join), ROW, st.just(""))
CSV = st.tuples(st.lists(LINE, max_size=25), st.sampled_from(["\n", "\r\n"]), st.booleans())
JSON_LINE = st.one_of(
    st.fixed_dictionaries({"text": st.text(max_size=6), "label": st.sampled_from("ab")}, optional={"n": st.integers()})
    .map(json.dumps)
    .filter(lambda line: "\\ud" not in line),
    st.sampled_from(["", "  ", "\x0c", "not json", "[1]", '{"text": "' + "z" * 40 + '"}', '{"text": "中文\u2028"}']),
    st.sampled_from(['{"text": "\\ud83d"}', '{"n": 1.10}', '{"n": null}', '{"text": 5}']),
)
anything = settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)


def small_batches(rows: int) -> ExitStack:
    """Batches of so many rows, so that a file of a few lines has several."""
    stack = ExitStack()
    here = "modelyard.stages.ingest"
    for reader in READERS:
        stack.enter_context(patch(f"{here}.{reader}.BATCH_ROWS", rows))
    for name, size in (("CAREFUL_ROWS", max(1, rows - 1)), ("GLANCE", 20), ("WINDOW", 60)):
        stack.enter_context(patch(f"{here}.text_files.delimited.{name}", size))
    return stack


def opened(path: Path, **config: Any) -> Source:
    settings = IngestConfig(max_row_characters=28, **config)
    return open_rows(path, find_format(path, settings.format), settings)


def shown(batches: Iterator[RawBatch] | list[RawBatch]) -> list[Any]:
    """Everything that a batch says, as plain values."""
    return [
        (batch.file, list(batch.lines), {n: list(v) for n, v in batch.values().items()}, list(batch.bad), batch.after)
        for batch in batches
    ]


def hold_that_it_goes_on_anywhere(source: Source) -> None:
    whole = list(source.batches)
    for place, batch in enumerate(whole):
        assert batch.after is not None
        assert shown(source.read_from(batch.after)) == shown(whole[place + 1 :])


@anything
@given(CSV, st.sampled_from(ENCODINGS), st.integers(1, 4))
def test_a_csv_file_is_read_the_same_from_behind_any_batch(
    tmp_path: Path, content: tuple[list[str], str, bool], encoding: str, rows: int
) -> None:
    lines, ending, ended = content
    text = ending.join(["text,label", *lines]) + ending * ended
    path = tmp_path / "a.csv"
    path.write_bytes(text.encode(encoding, "replace"))
    with small_batches(rows):
        hold_that_it_goes_on_anywhere(opened(path, encoding=encoding, delimiter=",", header=True))


@anything
@given(st.lists(JSON_LINE, max_size=25), st.sampled_from(ENCODINGS), st.integers(1, 4))
def test_a_json_lines_file_is_read_the_same_from_behind_any_batch(
    tmp_path: Path, lines: list[str], encoding: str, rows: int
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes("\n".join(['{"text": "a"}', *lines]).encode(encoding, "replace"))
    with small_batches(rows):
        whole = list(opened(path, encoding=encoding).batches)
        for place, batch in enumerate(whole):
            assert batch.after is not None
            behind = list(opened(path, encoding=encoding).read_from(batch.after))
            for one, other in zip(behind, whole[place + 1 :], strict=True):
                assert (one.lines, one.bad, one.after) == (other.lines, other.bad, other.after)
                # A key that no row behind has is no column there.
                values = one.values()
                assert other.values() == {name: values.get(name, [None] * len(one.lines)) for name in other.columns}


@pytest.mark.parametrize("rows_a_group", [1, 3, 5, 100])
def test_parquet_files_are_read_the_same_from_behind_any_batch(tmp_path: Path, rows_a_group: int) -> None:
    for side, rows in (("train", 11), ("validation", 0), ("test", 7)):
        table = pa.table({"text": [f"{side} {n}" for n in range(rows)], "label": ["x"] * rows})
        pq.write_table(table, tmp_path / f"{side}.parquet", row_group_size=rows_a_group)
    with small_batches(2):
        hold_that_it_goes_on_anywhere(opened(tmp_path))


def test_columns_are_found_by_as_many_rows_however_short_the_first_batches_are(tmp_path: Path) -> None:
    """A row that is not plain ends a batch; what the columns hold shows in the rows behind it."""
    path = tmp_path / "a.csv"
    rows = "".join(f"{'xy'[n % 2]},it was the best of times number {n}\n" for n in range(40))
    path.write_text('p,q\nx,"odd"" one\n"x"y,z\n' + rows)
    opened = open_source(path, IngestConfig())
    assert {public: found.column for public, found in opened.found.items()} == {"text": "q", "label": "p"}


@pytest.mark.parametrize(("name", "encoding"), [("a.csv", "utf-8"), ("a.csv", "gb18030"), ("a.jsonl", "utf-8")])
def test_a_file_that_changes_while_it_is_read_is_refused(tmp_path: Path, name: str, encoding: str) -> None:
    path = tmp_path / name
    head, row = ("text,label\n", "中文,a\n") if name == "a.csv" else ("", '{"text": "中文"}\n')
    path.write_bytes((head + row * 3).encode(encoding))
    source = opened(path, encoding=encoding)
    path.write_bytes((head + row).encode(encoding) + b"\xff\xff\n")
    with pytest.raises(BadInput, match="changed while it was read"):
        list(source.batches)


def test_the_place_behind_a_batch_is_a_byte_of_the_file_as_it_lies_on_disk(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\n一,a\n二,b\n三,c\n".encode("gb18030"))
    with small_batches(2):
        first, second = opened(path).batches
    assert first.after == Position("a.csv", 11 + 2 * 5, 4)
    assert second.after == Position("a.csv", path.stat().st_size, 5)


def test_an_encoding_that_depends_on_what_stood_before_has_no_place_to_start_at(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\n日本語,a\n".encode("iso2022_jp"))
    (batch,) = opened(path, encoding="iso2022_jp").batches
    assert list(batch.values()["text"]) == ["日本語"]
    assert batch.after is None


def test_a_source_opened_at_a_place_finds_its_columns_at_the_beginning(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("x,y\n" + "".join(f"a long text of row {n},{'ab'[n % 2]}\n" for n in range(20)) + "1,2\n")
    with patch("modelyard.stages.ingest.text_files.delimited.BATCH_ROWS", 20):
        there = open_source(path, IngestConfig())
        start = next(there.source.batches).after
        assert start is not None
        rest = list(there.source.read_from(start))
    assert there.found["text"].column == "x"
    assert [batch.values()["x"] for batch in rest] == [["1"]]


@pytest.mark.parametrize("spread", [False, True])
def test_parquet_batches_hold_no_more_bytes_than_they_may(tmp_path: Path, spread: bool) -> None:
    """Texts that all differ, and one that the file holds once (a dictionary) for all its rows."""
    texts = [f"{number if spread else 0:06}" * 100 for number in range(3000)]
    pq.write_table(pa.table({"text": texts, "label": ["x", "y"] * 1500}), tmp_path / "a.parquet")
    with patch("modelyard.stages.ingest.parquet.BATCH_CHARACTERS", 50_000):
        source = opened(tmp_path / "a.parquet")
        whole = list(source.batches)
        assert all(batch.columns["text"].nbytes <= 60_000 for batch in whole)  # type: ignore[union-attr]
        assert [text for batch in whole for text in batch.values()["text"]] == texts
        assert shown(source.read_from(whole[2].after or Position("", 0, 0))) == shown(whole[3:])


@pytest.mark.parametrize(
    "column",
    [
        pa.array(["一", None, "b"]).cast(pa.large_string()),
        pa.array(["一", None, "b"]).dictionary_encode(),
        pa.array(["一", None, "b"]).cast(pa.string_view()),
        pa.array([1, None, 3]),
        pa.array([True, None, False]),
        pa.array([0.5, None, 2.0]),
        pa.array([["a"], None, []]),
    ],
)
def test_parquet_columns_of_any_type_come_as_their_values(tmp_path: Path, column: pa.Array) -> None:
    pq.write_table(pa.table({"text": column}), tmp_path / "a.parquet")
    (batch,) = opened(tmp_path / "a.parquet").batches
    assert list(batch.values()["text"]) == column.to_pylist()


def test_parquet_text_that_is_not_utf_8_is_damage(tmp_path: Path) -> None:
    text = pa.array([b"fine", b"caf\xe9"]).view(pa.string())
    pq.write_table(pa.table({"text": text}), tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"a\.parquet is damaged"):
        list(opened(tmp_path / "a.parquet").batches)


def test_where_a_reader_may_start_only_line_ends_have_the_bytes_of_line_ends() -> None:
    """Of every text encoding that Python has."""
    others = "".join(chr(code) for code in range(0x30000) if chr(code) not in "\r\n" and not 0xD800 <= code < 0xE000)
    marked, of_windows = {"utf_16", "utf_32"}, {"mbcs", "oem"}
    names = sorted({*aliases.values()} - marked - of_windows)
    units = {name: character_unit(name) for name in names if codecs.lookup(name)._is_text_encoding}
    for name, unit in units.items():
        if unit is not None:
            found = np.frombuffer(others.encode(name, "ignore"), dtype=unit)
            assert not np.isin(found, [10, 13]).any(), name
            assert np.frombuffer("\r\n".encode(name), dtype=unit).tolist() == [13, 10], name
    assert {"utf_8", "gb18030", "cp1252", "latin_1", "utf_16_be", "shift_jis"} <= {n for n, u in units.items() if u}
    assert not any(units[name] for name in ("utf_7", "iso2022_jp", "hz", "cp500"))
