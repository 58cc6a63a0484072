"""A directory that Modelyard wrote, read back: row ids, roles, classes and split as they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.ingest.batch import BATCH_ROWS
from modelyard.stages.ingest.layout import data_files
from modelyard.stages.ingest.parquet import open_file, sound
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID, ROW_ID_TYPE, parse_row_id
from modelyard.store.materialize import DATASET_FILE, TYPES

PART_BYTES = 48 << 20


def restore(folder: Path, run: Run) -> Dataset:
    """Raises BadInput when a file lacks a column that dataset.json names, or a row id is wrong or stands twice."""
    columns, kinds = described_columns(folder / DATASET_FILE)
    files = data_files(folder, [])
    writer = run.store.new_dataset(columns)
    seen: set[bytes] = set()
    rows = 0
    waiting: list[pa.Table] = []

    def write() -> None:
        table = pa.concat_tables(waiting).combine_chunks()
        writer.write(table)
        waiting.clear()

    for data_file in run.progress(files, "ingest"):
        with open_file(data_file.path) as file:
            missing = sorted(set(kinds) - set(file.schema_arrow.names))
            if missing:
                raise BadInput(
                    f"{data_file.name} has no column {missing[0]}, which {DATASET_FILE} names",
                    where=str(data_file.path),
                    next=f"write the directory again, or remove {DATASET_FILE} to read it as any other",
                )
            batches = file.iter_batches(batch_size=BATCH_ROWS, columns=list(kinds))
            for table in sound(data_file.path, (_table(batch, kinds) for batch in batches)):
                _check_ids(table[ROW_ID].to_pylist(), seen, data_file.name)
                rows += table.num_rows
                waiting.append(table)
                if sum(each.nbytes for each in waiting) >= PART_BYTES:
                    write()
    if waiting:
        write()
    if not rows:
        raise BadInput(f"{folder} holds no rows", where=str(folder))
    run.record("rows_in", rows, how="rows of the source", unit="rows")
    run.record("rows_out", rows, how="rows of the Dataset", unit="rows")
    return writer.finish()


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
        shown = values.cast(pa.string()).to_pylist()
        return pa.array([None if each is None else parse_row_id(each) for each in shown], type=ROW_ID_TYPE)
    return pc.cast(values, TYPES[kind])


def _check_ids(ids: list[bytes | None], seen: set[bytes], file: str) -> None:
    for row_id in ids:
        if row_id is None or row_id in seen:
            raise BadInput(
                f"a row of {file} has no row_id, or one that another row has",
                where=file,
                next=f"remove the row, or remove {DATASET_FILE}: then new ids are made",
            )
        seen.add(row_id)
