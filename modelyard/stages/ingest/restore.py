"""A directory that Modelyard wrote, read back: row ids, roles, classes and split as they were."""

from __future__ import annotations

import json
import tempfile
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.ingest.batch import BATCH_ROWS
from modelyard.stages.ingest.given_ids import GivenIds, parse_row_ids
from modelyard.stages.ingest.layout import DataFile, data_files
from modelyard.stages.ingest.parquet import open_file, sound
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID
from modelyard.store.materialize import DATASET_FILE, TYPES

PART_BYTES = 48 << 20


def restore(folder: Path, run: Run) -> Dataset:
    """Raises BadInput when a file lacks a column that dataset.json names, or a row id is wrong or stands twice."""
    columns, kinds = described_columns(folder / DATASET_FILE)
    files = data_files(folder, [])
    starts = _starts(files)
    rows = starts[-1]
    if not rows:
        raise BadInput(f"{folder} holds no rows", where=str(folder))
    writer = run.store.new_dataset(columns)
    with tempfile.TemporaryDirectory(dir=run.store.temporary) as spilled:
        ids = GivenIds(Path(spilled), rows)
        for table in _parts(run.progress(files, "ingest"), kinds):
            if table[ROW_ID].null_count:
                raise _not_an_id(_file_of(ids.rows + pc.index(pc.is_null(table[ROW_ID]), True).as_py(), starts, files))
            writer.write(table)
            ids.add(table[ROW_ID])
        twice = ids.twice()
    if twice is not None:
        raise _not_an_id(_file_of(twice, starts, files))
    run.record("rows_in", rows, how="rows of the source", unit="rows")
    run.record("rows_out", rows, how="rows of the Dataset", unit="rows")
    return writer.finish()


def _starts(files: Sequence[DataFile]) -> list[int]:
    """The number of the first row of each file, when the rows of all are counted; then their sum."""
    starts = [0]
    for data_file in files:
        with open_file(data_file.path) as file:
            starts.append(starts[-1] + file.metadata.num_rows)
    return starts


def _file_of(row: int, starts: Sequence[int], files: Sequence[DataFile]) -> DataFile:
    return files[bisect_right(starts, row) - 1]


def _not_an_id(file: DataFile) -> BadInput:
    return BadInput(
        f"a row of {file.name} has no row_id, or one that another row has",
        where=str(file.path),
        next=f"remove the row, or remove {DATASET_FILE}: then new ids are made",
    )


def _parts(files: Iterable[DataFile], kinds: dict[str, str]) -> Iterator[pa.Table]:
    waiting: list[pa.Table] = []
    size = 0
    for data_file in files:
        with open_file(data_file.path) as file:
            missing = sorted(set(kinds) - set(file.schema_arrow.names))
            if missing:
                raise BadInput(
                    f"{data_file.name} has no column {missing[0]}, which {DATASET_FILE} names",
                    where=str(data_file.path),
                    next=f"write the directory again, or remove {DATASET_FILE} to read it as any other",
                )
            for table in sound(data_file.path, (_table(batch, kinds) for batch in _batches(file, list(kinds)))):
                waiting.append(table)
                size += table.nbytes
                if size >= PART_BYTES:
                    yield pa.concat_tables(waiting).combine_chunks()
                    waiting, size = [], 0
    if waiting:
        yield pa.concat_tables(waiting).combine_chunks()


def _batches(file: pq.ParquetFile, names: list[str]) -> Iterator[pa.RecordBatch]:
    """No larger than a row group: these were cut by bytes."""
    for group in range(file.num_row_groups):
        yield from file.iter_batches(batch_size=BATCH_ROWS, row_groups=[group], columns=names)


def described_columns(path: Path) -> tuple[list[Column], dict[str, str]]:
    """Columns with their roles, and the kind of storage of each."""
    try:
        value: Any = json.loads(path.read_bytes())
        columns = [Column.from_json(column) for column in value["columns"]]
        kinds = {column["name"]: column["type"] for column in value["columns"]}
    except (ValueError, KeyError, TypeError) as error:
        raise BadInput(f"{path.name} is not one of ours: {error!r}", where=str(path), next="remove it") from error
    unknown = set(kinds.values()) - set(TYPES)
    if unknown or ROW_ID not in kinds or value.get("format") != 1:
        raise BadInput(
            f"{path.name} is of a format that this version does not read",
            where=str(path),
            next="upgrade modelyard, or remove the file to read the directory as any other",
        )
    return columns, kinds


def _table(batch: pa.RecordBatch, kinds: dict[str, str]) -> pa.Table:
    return pa.table({name: _stored(batch.column(name), kind) for name, kind in kinds.items()})


def _stored(values: pa.Array, kind: str) -> pa.Array:
    if kind == "row_id":
        return parse_row_ids(values)
    return pc.cast(pc.struct_field(values, "bytes") if kind == "image" else values, TYPES[kind])
