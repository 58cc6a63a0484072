"""Reading delimited text: what csv writers write comes back, and a broken record costs one line."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.stages.ingest.text_files.csv_records import find_delimiter, read_records

# A csv writer cannot tell a row of one empty field from a blank line; everything else has one reading.
FIELDS = st.text(st.characters(codec="utf-8"), max_size=20)
ROWS = st.integers(2, 4).flatmap(lambda width: st.lists(st.lists(FIELDS, min_size=width, max_size=width), min_size=1))


def records(text: str, delimiter: str = ",", limit: int = 1000) -> list[tuple[int, list[str] | str]]:
    whole = text.split("\n")
    return list(read_records(iter([*(f"{x}\n" for x in whole[:-1]), *whole[-1:]]), delimiter, limit))


@given(ROWS, st.sampled_from([",", ";", "\t", "|"]), st.sampled_from(["\n", "\r\n"]))
def test_what_a_csv_writer_writes_comes_back(rows: list[list[str]], delimiter: str, ending: str) -> None:
    buffer = io.StringIO(newline="")
    # Python's writer leaves a lone carriage return without quotes, which no reader can tell from a line end.
    csv.writer(buffer, delimiter=delimiter, lineterminator=ending, quoting=csv.QUOTE_ALL).writerows(rows)
    assert [fields for _, fields in records(buffer.getvalue(), delimiter, 1 << 20)] == rows


@given(ROWS)
def test_every_record_names_the_line_it_starts_at(rows: list[list[str]]) -> None:
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, quoting=csv.QUOTE_ALL, lineterminator="\n")
    starts = []
    for row in rows:
        starts.append(buffer.getvalue().count("\n") + 1)
        writer.writerow(row)
    assert [line for line, _ in records(buffer.getvalue(), limit=1 << 20)] == starts


def test_a_quote_that_is_never_closed_costs_its_own_line_only() -> None:
    text = 'text,label\nfine,a\n"never closed,b\nfine,c\nalso fine,d\n'
    assert records(text) == [
        (1, ["text", "label"]),
        (2, ["fine", "a"]),
        (3, "broken quoting"),
        (4, ["fine", "c"]),
        (5, ["also fine", "d"]),
    ]


def test_a_quote_closed_by_the_next_quoted_row_costs_its_own_line_only() -> None:
    text = 'text,label\n"never closed,b\n"quoted, fine",c\nfine,d\n'
    assert records(text) == [
        (1, ["text", "label"]),
        (2, "broken quoting"),
        (3, ["quoted, fine", "c"]),
        (4, ["fine", "d"]),
    ]


def test_rows_behind_an_open_quote_are_read_again_when_the_width_shows_it() -> None:
    text = 'a,b,c\n1,"open,x\n2,two,y\n3,three,z\n4,"closed",w\n'
    assert records(text)[1:] == [
        (2, "broken quoting"),
        (3, ["2", "two", "y"]),
        (4, ["3", "three", "z"]),
        (5, ["4", "closed", "w"]),
    ]


def test_a_quoted_text_of_several_lines_with_a_field_too_many_is_one_bad_row() -> None:
    text = 'text,label\n"first line\nsecond line\nthird",a,extra\nfine,b\n'
    assert records(text)[1:] == [(2, "3 fields, 2 expected"), (5, ["fine", "b"])]


def test_a_record_over_the_limit_is_set_aside_without_being_held() -> None:
    text = "text,label\n" + "x" * 200 + ",a\nfine,b\n"
    assert records(text, limit=100)[1:] == [(2, "longer than 100 characters"), (3, ["fine", "b"])]


def test_a_carriage_return_without_quotes_is_named() -> None:
    assert records("a,b\none\rtwo,x\nfine,y\n")[1:] == [
        (2, "carriage return inside a field without quotes"),
        (3, ["fine", "y"]),
    ]


def test_blank_lines_are_no_rows() -> None:
    assert records("a,b\n\n1,2\n\n\n3,4\n") == [(1, ["a", "b"]), (3, ["1", "2"]), (6, ["3", "4"])]


def test_a_quote_inside_a_field_without_quotes_is_content() -> None:
    assert records('a,b\n5" disk,x\n')[1] == (2, ['5" disk', "x"])


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(delimiter: str) -> None:
    sample = [f"text{delimiter}label\n", f"one, two; three{delimiter}a\n".replace(delimiter, delimiter, 1)]
    if delimiter in ",;":
        sample[1] = f"plain{delimiter}a\n"
    assert find_delimiter(sample) == delimiter


def test_commas_in_the_text_do_not_beat_the_delimiter_of_the_header() -> None:
    assert find_delimiter(["text;label\n", "well, well, well;a\n", "one, two;b\n"]) == ";"
