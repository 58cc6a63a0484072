"""Fields: what each makes of a raw value."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.fields import FIELDS

ANY_TEXT = st.text(st.characters(codec="utf-8"))


@given(ANY_TEXT)
def test_text_is_kept_as_it_was_given_or_is_none(text: str) -> None:
    assert FIELDS["text"].read(text) == (text if text.strip() else None)


@given(ANY_TEXT)
def test_a_value_is_kept_as_it_was_written(text: str) -> None:
    assert FIELDS["value"].read(text) == (text or None)


@pytest.mark.parametrize(
    ("raw", "stored"),
    [
        ("NA", "NA"),
        ("no", "no"),
        ("010", "010"),
        (" good ", "good"),
        (3, "3"),
        (3.0, "3"),
        (True, "true"),
        ("", None),
        ("  ", None),
        (None, None),
    ],
)
def test_a_label_is_a_name_and_nothing_else(raw: Any, stored: str | None) -> None:
    assert FIELDS["label"].read(raw) == stored


@pytest.mark.parametrize(
    ("field", "raw", "why"),
    [
        ("label", 0.5, "fraction"),
        ("label", float("nan"), "fraction"),
        ("label", "\ud800", "surrogate pair at character 1"),
        ("text", 5, "int, not a string"),
        ("text", "ab\ud83d", "surrogate pair at character 3"),
        ("value", "\udc00", "surrogate"),
        ("value", ["\udc00"], "surrogate"),
    ],
)
def test_what_cannot_be_used_says_why(field: str, raw: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        FIELDS[field].read(raw)


@pytest.mark.parametrize(
    ("raw", "stored"),
    [(1234567890123456789, "1234567890123456789"), ({"a": ["中"]}, '{"a": ["中"]}'), (False, "false"), (None, None)],
)
def test_other_values_become_text_exactly(raw: Any, stored: str | None) -> None:
    assert FIELDS["value"].read(raw) == stored


@pytest.mark.parametrize("field", ["label", "text", "value"])
def test_canonical_bytes_are_utf_8(field: str) -> None:
    assert FIELDS[field].canonical("中\r\n") == "中\r\n".encode()
    assert FIELDS[field].name == field
