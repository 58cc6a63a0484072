"""Columns of row ids are shown as each of them alone."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.store.dataset import ROW_ID_TYPE, show_row_id
from modelyard.store.row_id_columns import id_bytes, show_row_ids

ids = st.one_of(
    st.none(),
    st.binary(min_size=20, max_size=20),
    st.binary(min_size=16, max_size=16).map(lambda hashed: hashed + bytes(4)),
    st.tuples(st.binary(min_size=16, max_size=16), st.integers(0, 300)).map(lambda p: p[0] + p[1].to_bytes(4, "big")),
)


@settings(deadline=None)
@given(st.lists(st.lists(ids, max_size=6), max_size=4), st.integers(0, 4), st.integers(0, 12))
def test_a_column_of_any_chunks_is_shown_as_its_ids_are(
    chunks: list[list[bytes | None]], start: int, length: int
) -> None:
    column = pa.chunked_array([pa.array(chunk, ROW_ID_TYPE) for chunk in chunks], type=ROW_ID_TYPE)
    column = column.slice(start, length)
    shown = show_row_ids(column)
    assert shown.type == pa.string()
    assert shown.to_pylist() == [None if each is None else show_row_id(each) for each in column.to_pylist()]
    assert [row.tobytes() for row in id_bytes(column)] == [each or bytes(20) for each in column.to_pylist()]
