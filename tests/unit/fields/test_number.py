"""Numbers as people write them, and as they do not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.fields.number import Number


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_back_as_it_was_written(value: float) -> None:
    assert Number().read(repr(value)) == value
    assert Number().canonical(value) == Number().canonical(Number().read(str(value)))


@pytest.mark.parametrize("value", ["1,5", "about 3", "nan", "inf", "1_000", "1e999", True, [1], 10**400])
def test_what_is_no_finite_number_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match="number"):
        Number().read(value)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_an_empty_cell_holds_none(value: object) -> None:
    assert Number().read(value) is None
