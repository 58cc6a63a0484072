"""Raw rows to rows of the Dataset: each value read by its field, rows with a bad one set aside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from modelyard.fields import Field
from modelyard.stages.ingest.batch import BadRow, RawBatch
from modelyard.stages.ingest.layout import SIDES
from modelyard.store.dataset import ROW_ID, SPLIT, Column

SOURCE_LINE = "source_line"
SOURCE_FILE = "source_file"


def system_columns(split: bool, several_files: bool) -> list[Column]:
    """What ingest adds: row_id, where the row stands in the source, and the side the source gave it."""
    names = [ROW_ID, SOURCE_LINE, *([SOURCE_FILE] if several_files else []), *([SPLIT] if split else [])]
    return [Column(name, "value", "system") for name in names]


def assemble(batch: RawBatch, columns: Sequence[Column], kinds: Mapping[str, Field]) -> tuple[pa.Table, list[BadRow]]:
    """The good rows as a table with all `columns` but row_id, and the bad ones. kinds: the fields by their names."""
    count = len(batch.lines)
    faults: dict[int, str] = {}
    read: dict[str, list[Any]] = {}
    for column in columns:
        if column.role != "system":
            raw = batch.columns.get(column.name, [None] * count)
            read[column.name] = _read_column(column, kinds[column.field], raw, faults)
        elif column.name == SPLIT:
            read[SPLIT] = _sides(batch.columns.get(SPLIT, [None] * count), faults)
    good = [index for index in range(count) if index not in faults] if faults else range(count)
    kept = {name: [values[index] for index in good] for name, values in read.items()} if faults else read
    arrays: dict[str, pa.Array] = {}
    for column in columns:
        if column.name == SOURCE_LINE:
            arrays[SOURCE_LINE] = pa.array([batch.lines[index] for index in good], type=pa.int64())
        elif column.name == SOURCE_FILE:
            arrays[SOURCE_FILE] = pa.array([batch.file] * len(good), type=pa.large_string())
        elif column.name != ROW_ID:
            arrays[column.name] = pa.array(kept[column.name], type=kinds[column.field].arrow_type())
    bad = [BadRow(batch.file, batch.lines[index], reason) for index, reason in sorted(faults.items())]
    return pa.table(arrays), bad


def _read_column(column: Column, field: Field, raw: Sequence[Any], faults: dict[int, str]) -> list[Any]:
    """The stored values; `faults` gets the first reason of each row that has none where it must or a bad one."""
    read = field.read
    needed = column.role in ("input", "target")
    values: list[Any] = []
    for index, value in enumerate(raw):
        try:
            stored = read(value)
        except ValueError as error:
            faults.setdefault(index, f"{column.name}: {error}")
            stored = None
        else:
            if stored is None and needed:
                faults.setdefault(index, f"no {column.field} (column {column.name})")
        values.append(stored)
    return values


def _sides(raw: Sequence[Any], faults: dict[int, str]) -> list[str | None]:
    """train, validation or test by any of their usual names; None where the source gives none."""
    sides: list[str | None] = []
    for index, value in enumerate(raw):
        name = str(value).strip().lower() if value is not None else ""
        if name and name not in SIDES:
            faults.setdefault(index, f"{SPLIT}: {value!r} is not train, validation or test")
        sides.append(SIDES.get(name))
    return sides
