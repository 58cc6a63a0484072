"""Files cut, overwritten and spliced anywhere: read, or refused in words. Any other exception is our fault."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.chain.inspect_source import look
from modelyard.chain.project import load_project
from modelyard.chain.proposal import proposed_yaml
from modelyard.errors import ModelyardError
from modelyard.stages.ingest import ingest
from tests.cases.people.files import chinese_rows, rows, table, with_header
from tests.rows import new_run

ROWS = 60
PIECES = (
    b'"',
    b",",
    b"\n",
    b"\r",
    b"\x00",
    b"\xff\xfe",
    b"\\ud800",
    b"{",
    b"]",
    b"\t",
    b"\xe2\x80\xa8",
    b"sep=;\n",
    b"PAR1",
)


def parquet() -> bytes:
    texts, labels = zip(*rows(ROWS), strict=True)
    buffer = io.BytesIO()
    pq.write_table(pa.table({"text": texts, "label": pa.array(labels).dictionary_encode(), "n": range(ROWS)}), buffer)
    return buffer.getvalue()


WHOLE = {
    "a.csv": table(with_header(rows(ROWS))).encode(),
    "b.csv": table(with_header(chinese_rows()[:ROWS], "评论", "标签")).encode("gbk"),
    "c.tsv": table(with_header(rows(ROWS)), "\t").encode("utf-16"),
    "d.jsonl": "".join(json.dumps({"text": t, "label": b, "m": {"n": 1}}) + "\n" for t, b in rows(ROWS)).encode(),
    "e.parquet": parquet(),
}
PLACE = st.floats(0, 1) | st.floats(0, 0.02)
DAMAGE = st.lists(
    st.tuples(PLACE, st.integers(0, 40), st.binary(max_size=8) | st.sampled_from(PIECES)), min_size=1, max_size=8
)


def damaged(whole: bytes, damage: list[tuple[float, int, bytes]]) -> bytes:
    """At each place that many bytes go and those come."""
    data = bytearray(whole)
    for place, gone, come in damage:
        start = int(place * len(data))
        data[start : start + gone] = come
    return bytes(data)


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(sorted(WHOLE)), damage=DAMAGE)
def test_a_damaged_file_is_read_or_refused_in_words(name: str, damage: list[tuple[float, int, bytes]]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        (folder / name).write_bytes(damaged(WHOLE[name], damage))
        try:
            seen = look(load_project(folder, str(folder / name)))
            (folder / "modelyard.yaml").write_text(proposed_yaml(seen, folder / name, folder, "modelyard run"))
            project = load_project(folder)
            # What was looked at is what is then read: the same columns, the same rows.
            dataset = ingest(project.source(), project.ingest, new_run(folder))
            assert dataset.the("input", "text").name == seen.columns["text"]
            assert dataset.rows() == seen.rows
        except ModelyardError as error:
            assert error.exit_code == 2
            assert error.message
