"""Whole columns: the same as value by value."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.fields import FIELDS, Field, canonical_column, read_column
from modelyard.fields.text import BLANK_BYTES, Text

BLANKS = [chr(code) for code in range(0x110000) if chr(code).isspace()]
VALUES = st.lists(
    st.one_of(
        st.none(),
        st.text(st.characters(codec="utf-8"), max_size=6),
        st.text(st.sampled_from(["a", "中", "。", *BLANKS]), max_size=3),
        st.sampled_from(["1", "1.5", " 2 ", "nan", "1e3", "x\0", "", "yes", "yes"]),
    ),
    max_size=30,
)


def value_by_value(field: Field, values: list[Any]) -> tuple[list[Any], dict[int, str]]:
    stored, wrong = [], {}
    for row, value in enumerate(values):
        try:
            stored.append(field.read(value))
        except ValueError as error:
            stored.append(None)
            wrong[row] = str(error)
    return stored, wrong


@pytest.mark.parametrize("name", sorted(FIELDS))
@given(values=VALUES, skipped=st.integers(0, 3))
def test_a_column_is_read_as_its_values_are(name: str, values: list[str | None], skipped: int) -> None:
    column = pa.array(values, type=pa.large_string()).slice(skipped)
    stored, wrong = read_column(FIELDS[name], column)
    assert stored.type == FIELDS[name].arrow_type()
    assert (stored.to_pylist(), wrong) == value_by_value(FIELDS[name], values[skipped:])


@pytest.mark.parametrize("name", sorted(FIELDS))
@given(values=VALUES)
def test_canonical_bytes_of_a_column_are_those_of_its_values(name: str, values: list[str | None]) -> None:
    stored = [value for value in value_by_value(FIELDS[name], values)[0] if value is not None]
    column = pa.array(stored, type=FIELDS[name].arrow_type())
    assert canonical_column(FIELDS[name], column).to_pylist() == [FIELDS[name].canonical(value) for value in stored]


def test_values_that_are_no_strings_are_read_one_by_one() -> None:
    stored, wrong = read_column(FIELDS["text"], ["a", 5, None])
    assert stored.to_pylist() == ["a", None, None]
    assert wrong == {1: "int, not a string"}


def test_no_blank_begins_with_a_byte_that_is_not_looked_at() -> None:
    assert {blank.encode()[0] for blank in BLANKS} == set(BLANK_BYTES)


class Lower(Text):
    """A field of a user's own that changes one thing of ours."""

    def read(self, value: Any) -> str | None:
        return value.lower() if value else None


class Folded(Text):
    def canonical(self, value: Any) -> bytes:
        return str(value).casefold().encode()


def test_a_field_that_derives_from_ours_is_read_by_its_own_rule() -> None:
    column = pa.array(["Ab", None, "cD", "Ab"], type=pa.large_string())
    assert read_column(Lower(), column)[0].to_pylist() == ["ab", None, "cd", "ab"]
    assert canonical_column(Folded(), column.drop_null()).to_pylist() == [b"ab", b"cd", b"ab"]


def test_an_array_of_another_type_is_read_as_its_values() -> None:
    stored, wrong = read_column(FIELDS["value"], pa.array([[1, 2], None, [3]]))
    assert (stored.to_pylist(), wrong) == (["[1, 2]", None, "[3]"], {})
