"""Records in whole columns: what the careful reader reads, for whatever stands in a file."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from modelyard.stages.ingest import IngestConfig
from modelyard.stages.ingest.opening import open_rows
from modelyard.stages.ingest.text_files.csv_records import read_records
from modelyard.stages.ingest.text_files.plain_records import PlainRecords, read_plain

LIMIT = 40
# Mostly what breaks readers: quotes, delimiters, line ends of both kinds, blanks, characters of more than one byte.
TEXTS = st.text(st.sampled_from('"",,\n\n\r ab中é\0'), max_size=40)
PIECES = st.lists(
    st.sampled_from(['"', '""', ",", "\n", "\r\n", "a", "b c", "中", '"a,b"', '"x\ny"', "a,b\n", '"a","b"\n', ","]),
    max_size=30,
).map("".join)
QUOTED = st.lists(st.lists(st.text(st.sampled_from('",\n\rab中'), max_size=5), min_size=1, max_size=3), max_size=8)


def careful(text: str, width: int) -> list[tuple[int, list[str] | str]]:
    lines = io.StringIO(text, newline="\n")
    return list(read_records(iter(lines), ",", LIMIT, width))


def plain(found: PlainRecords, width: int) -> list[tuple[int, list[str] | str]]:
    """As the careful reader shows them."""
    values = list(zip(*(column.to_pylist() for column in found.columns), strict=True))
    good = [(line + 1, list(row)) for line, row in zip(found.lines.tolist(), values, strict=True)]
    wrong = [(line + 1, f"{n} fields, {width} expected") for line, n in found.wrong_between(0, len(values) + 1)]
    return sorted([*good, *wrong], key=lambda record: record[0])


def hold_that_both_agree(text: str, width: int) -> PlainRecords:
    """What the fast reader reads is what the careful one reads first; and both go on at one line."""
    found = read_plain(text.encode(), b",", width, LIMIT)
    expected = careful(text, width)
    shown = plain(found, width)
    assert shown == expected[: len(shown)]
    size, end = found.behind(len(shown) + 1)
    rest = "".join(io.StringIO(text, newline="\n").readlines()[end:])
    assert rest.encode() == text.encode()[size:]
    behind = [(line + end, record) for line, record in careful(rest, width)]
    assert behind == expected[len(shown) :]
    return found


@settings(max_examples=400, deadline=None)
@given(st.one_of(TEXTS, PIECES), st.integers(1, 3))
@example('a,b\n"open,c\nd,e\n', 2)
@example('a,b\n"open,c\n"d",e\n', 2)
@example('a"b,c\n"d",e\nf"g,h\n', 2)
@example('a,b,""\nc,d,,\ne,f\n', 2)
@example('"a"\r\n"b"\r', 1)
@example("a\r\r\nb\n", 1)
@example('""\n\n"""x"""\n', 1)
def test_any_text_is_read_the_same(text: str, width: int) -> None:
    hold_that_both_agree(text, width)


@settings(max_examples=100, deadline=None)
@given(QUOTED, st.integers(1, 3), st.sampled_from(["\n", "\r\n"]), st.sampled_from([csv.QUOTE_ALL, csv.QUOTE_MINIMAL]))
def test_what_a_csv_writer_writes_is_plain(rows: list[list[str]], width: int, ending: str, quoting: Any) -> None:
    buffer = io.StringIO(newline="")
    full = [[*row, *["x"] * width][:width] for row in rows]
    csv.writer(buffer, lineterminator=ending, quoting=quoting).writerows(full)
    text = buffer.getvalue()
    found = hold_that_both_agree(text, width)
    if quoting == csv.QUOTE_ALL and all(len(",".join(row).encode()) < LIMIT / 3 for row in full):
        assert [list(row) for row in zip(*(c.to_pylist() for c in found.columns), strict=True)] == full


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(TEXTS, PIECES), st.integers(1, 3), st.integers(5, 60), st.sampled_from(["utf-8", "utf-16", "gb18030"]))
def test_a_file_is_read_the_same_whatever_the_window(
    tmp_path: Path, text: str, rows: int, window: int, encoding: str
) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(f"text,label\n{text}".encode(encoding, "replace"))
    config = IngestConfig(encoding=encoding, delimiter=",", header=True, max_row_characters=LIMIT)
    here = "modelyard.stages.ingest.text_files.delimited"
    with (
        patch(f"{here}.BATCH_ROWS", rows),
        patch(f"{here}.CAREFUL_ROWS", max(1, rows - 1)),
        patch(f"{here}.WINDOW", window),
        patch(f"{here}.GLANCE", window // 2),
    ):
        batches = list(open_rows(path, "csv", config).batches)
    good = [
        (line, list(row))
        for batch in batches
        for line, row in zip(batch.lines, zip(*batch.values().values(), strict=True), strict=True)
    ]
    bad = [(row.line, row.reason) for batch in batches for row in batch.bad]
    expected = [(line + 1, record) for line, record in careful(text.encode(encoding, "replace").decode(encoding), 2)]
    assert good == [each for each in expected if isinstance(each[1], list)]
    assert bad == [each for each in expected if isinstance(each[1], str)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("a,b\nc,d\n", 2),
        ('"a","b"\n"c\nd","e""f"\n', 2),
        ('5" disk,x\n3" disk,y\n', 2),
        ("a,b\nonly one\nc,d\n", 2),
        ("a,b,,\nc,d,,\n", 2),
        ('a,b\n"open,c\nd,e\n', 1),
        ("a,b\none\rtwo,c\n", 1),
    ],
)
def test_how_far_a_text_is_plain(text: str, rows: int) -> None:
    assert len(hold_that_both_agree(text, 2).lines) == rows
