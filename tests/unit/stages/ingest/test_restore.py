"""A directory of ours read back: ids from their text, and none of them twice."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.ingest.given_ids import parse_row_ids
from modelyard.store.dataset import ROW_ID_TYPE, parse_row_id, show_row_id
from modelyard.store.materialize import materialize
from tests.rows import in_parts, new_run

IDS = st.builds(
    lambda head, ordinal: head + ordinal.to_bytes(4, "big"),
    st.binary(min_size=16, max_size=16),
    st.integers(0, 2**32 - 1),
)


@settings(deadline=None)
@given(st.lists(IDS, max_size=20))
def test_ids_are_read_from_what_shows_them(ids: list[bytes]) -> None:
    shown = pa.array([show_row_id(each) for each in ids], pa.string())
    assert parse_row_ids(shown) == pa.array(ids, ROW_ID_TYPE)


@settings(deadline=None)
@given(
    st.lists(st.one_of(st.none(), IDS.map(show_row_id), st.text("0123456789abcdefABCDEF.", max_size=36)), max_size=6)
)
def test_a_column_is_read_as_one_id_after_the_other_is(shown: list[str | None]) -> None:
    try:
        expected = [None if each is None else parse_row_id(each) for each in shown]
    except BadInput as error:
        with pytest.raises(BadInput, match=r"is not a row id") as raised:
            parse_row_ids(pa.array(shown, pa.string()))
        assert str(raised.value) == str(error)
    else:
        assert parse_row_ids(pa.array(shown, pa.string())).to_pylist() == expected


@pytest.mark.parametrize("case", ["twice", "missing"])
def test_the_file_of_a_row_without_an_id_of_its_own_is_named(tmp_path: Path, case: str) -> None:
    run = new_run(tmp_path)
    folder = materialize(
        in_parts(run, [[("one text", "a"), ("two text", "b")], [("three", "a"), ("four", "b")]]), tmp_path / "out"
    )
    first, second = sorted((folder / "data").iterdir())
    ids = [pq.read_table(first)["row_id"][1].as_py() if case == "twice" else None, "0" * 32]
    table = pq.read_table(second)
    pq.write_table(table.set_column(table.column_names.index("row_id"), "row_id", pa.array(ids, pa.string())), second)
    with pytest.raises(BadInput, match=rf"a row of data/{second.name} has no row_id, or one that another row has"):
        ingest(folder, IngestConfig(), Run(store=run.store))
