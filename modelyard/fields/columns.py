"""Whole columns read by their field: the same as value by value, with as little Python a row as the field allows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeGuard

import pyarrow as pa

from modelyard.fields.field import Field


class StringField(Field, Protocol):
    """A field whose stored values are strings, with their UTF-8 as canonical bytes."""

    def read_strings(self, values: pa.LargeStringArray) -> pa.LargeStringArray:
        """What `read` makes of each string or null. It refuses none."""
        ...


def read_column(field: Field, values: Sequence[Any] | pa.Array) -> tuple[pa.Array, dict[int, str]]:
    """The stored values, and what is wrong with those that the field refuses, by row; they are null.

    Of an array of strings each different one is read once.
    """
    if not isinstance(values, pa.Array):
        return _read(field, values)
    if not pa.types.is_large_string(values.type):
        return _read(field, values.to_pylist())
    if _reads_strings(field):
        return field.read_strings(values), {}
    coded = values.dictionary_encode(null_encoding="encode")
    stored, wrong = _read(field, coded.dictionary.to_pylist())
    rows = {row: wrong[code] for row, code in enumerate(coded.indices.to_pylist()) if code in wrong} if wrong else {}
    return stored.take(coded.indices), rows


def _reads_strings(field: Field) -> TypeGuard[StringField]:
    """A class that changes `read` or `canonical` of the one it derives from is read value by value."""
    names = ("read", "canonical", "read_strings")
    owners = {next((each for each in type(field).__mro__ if name in vars(each)), None) for name in names}
    return len(owners) == 1 and None not in owners


def _read(field: Field, values: Sequence[Any]) -> tuple[pa.Array, dict[int, str]]:
    read = field.read
    stored: list[Any] = []
    wrong: dict[int, str] = {}
    for place, value in enumerate(values):
        try:
            stored.append(read(value))
        except ValueError as error:
            wrong[place] = str(error)
            stored.append(None)
    return pa.array(stored, type=field.arrow_type()), wrong


def canonical_column(field: Field, values: pa.Array) -> pa.LargeBinaryArray:
    """The canonical bytes of stored values."""
    if _reads_strings(field):
        return values.cast(pa.large_binary())
    return pa.array(map(field.canonical, values.to_pylist()), type=pa.large_binary())
