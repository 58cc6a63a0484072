"""Raw rows to rows of the Dataset: each value read by its field, rows with a bad one set aside."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.fields import Field, read_column
from modelyard.stages.ingest.batch import BadRow, RawBatch
from modelyard.stages.ingest.sides import SIDES
from modelyard.store.dataset import ROW_ID, SPLIT, Column

SOURCE_LINE = "source_line"
SOURCE_FILE = "source_file"


def system_columns(split: bool, several_files: bool) -> list[Column]:
    """What ingest adds: row_id, where the row stands in the source, and the side the source gave it."""
    names = [ROW_ID, SOURCE_LINE, *([SOURCE_FILE] if several_files else []), *([SPLIT] if split else [])]
    return [Column(name, "value", "system") for name in names]


def assemble(
    batch: RawBatch, columns: Sequence[Column], kinds: Mapping[str, Field], needed: Collection[str]
) -> tuple[pa.Table, list[BadRow]]:
    """The good rows as a table with all `columns` but row_id, and the bad ones. kinds: the fields by their names.
    needed: roles of columns in which a row must have a value."""
    count = len(batch.lines)
    faults: dict[int, str] = {}
    arrays: dict[str, pa.Array] = {}
    for column in columns:
        raw = batch.columns.get(column.name, [None] * count)
        if column.role != "system":
            arrays[column.name] = _read_column(column, kinds[column.field], raw, faults, column.role in needed)
        elif column.name == SPLIT:
            sides = _sides(raw.to_pylist() if isinstance(raw, pa.Array) else raw, faults)
            arrays[SPLIT] = pa.array(sides, type=kinds[column.field].arrow_type())
        elif column.name == SOURCE_LINE:
            arrays[SOURCE_LINE] = pa.array(batch.lines, type=pa.int64())
        elif column.name == SOURCE_FILE:
            file = pa.scalar(batch.file, pa.large_string())
            arrays[SOURCE_FILE] = pa.array(batch.files, pa.large_string()) if batch.files else pa.repeat(file, count)
    table = pa.table(arrays)
    if faults:
        good = np.ones(count, dtype=np.bool_)
        good[list(faults)] = False
        table = table.filter(pa.array(good))
    files = batch.files or [batch.file] * count
    return table, [BadRow(files[index], batch.lines[index], reason) for index, reason in sorted(faults.items())]


def _read_column(
    column: Column, field: Field, raw: Sequence[Any] | pa.Array, faults: dict[int, str], needed: bool
) -> pa.Array:
    """The stored values; `faults` gets the first reason of each row that has none where it must or a bad one."""
    stored, wrong = read_column(field, raw)
    for index, reason in wrong.items():
        faults.setdefault(index, f"{column.name}: {reason}")
    if needed and stored.null_count:
        for index in np.flatnonzero(stored.is_null()).tolist():
            faults.setdefault(index, f"no {column.field} (column {column.name})")
    return stored


def _sides(raw: Sequence[Any], faults: dict[int, str]) -> list[str | None]:
    """train, validation or test by any of their usual names; None where the source gives none."""
    sides: list[str | None] = []
    for index, value in enumerate(raw):
        name = str(value).strip().lower() if value is not None else ""
        if name and name not in SIDES:
            faults.setdefault(index, f"{SPLIT}: {value!r} is not train, validation or test")
        sides.append(SIDES.get(name))
    return sides
