"""Parquet files, alone or in the Hugging Face layout."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.errors import BadInput
from modelyard.stages.ingest.batch import BATCH_CHARACTERS, BATCH_ROWS, Position, RawBatch, Source
from modelyard.stages.ingest.config import IngestConfig
from modelyard.stages.ingest.guess import NAMES, folded_name
from modelyard.stages.ingest.layout import DataFile
from modelyard.store.dataset import SPLIT
from modelyard.tasks import load_task

T = TypeVar("T")


def open_parquet(files: Sequence[DataFile], config: IngestConfig, format: str) -> Source:
    """Raises BadInput for what is not Parquet, and for files whose columns differ."""
    notes: list[str] = []
    pictures = _picture_column(files[0].path, config)
    names = readable_columns(files[0].path, notes, pictures)
    if len(names) > config.max_columns:
        raise BadInput(
            f"{files[0].name} has {len(names):,} columns, at most {config.max_columns:,} are read",
            where=str(files[0].path),
            next="raise ingest.max_columns",
        )
    for file in files[1:]:
        missing = sorted(set(names).symmetric_difference(readable_columns(file.path, [], pictures)))
        if missing:
            raise BadInput(
                f"{files[0].name} and {file.name} do not have the same columns: {', '.join(missing)}",
                where=str(file.path),
                next="give files of one kind",
            )

    def read_from(start: Position | None) -> Iterator[RawBatch]:
        return _batches(files, names, start)

    return Source({"format": format}, read_from(None), read_from, len(files) > 1, notes)


def open_file(path: Path) -> pq.ParquetFile:
    """Raises BadInput when it is not Parquet."""
    try:
        return pq.ParquetFile(path)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, OSError) as error:
        raise BadInput(f"{path.name} is not a Parquet file that can be read: {error}", where=str(path)) from error


def _picture_column(path: Path, config: IngestConfig) -> str | None:
    """The column of pictures, where the task takes one: that which is named, else by its name, else the only one."""
    public = next((name for name, kind in load_task(config.task).columns.items() if kind == "image"), None)
    if public is None:
        return None
    with open_file(path) as file:
        names = [field.name for field in file.schema_arrow if _binary(field.type)]
    if public in config.columns.named:
        return config.columns.named[public]
    known = [name for name in names if folded_name(name) in NAMES["image"]]
    return known[0] if known else names[0] if len(names) == 1 else None


def readable_columns(path: Path, notes: list[str], pictures: str | None = None) -> list[str]:
    """The columns that can be kept as text, and that of pictures; others of binary data are left out and named."""
    with open_file(path) as file:
        schema = file.schema_arrow
    twice = [name for name, count in Counter(schema.names).items() if count > 1]
    if twice:
        raise BadInput(f"two columns of {path.name} are called {twice[0]}", where=str(path), next="rename one of them")
    left_out = [field.name for field in schema if _binary(field.type) and field.name != pictures]
    names = [name for name in schema.names if name not in left_out]
    if left_out:
        notes.append(f"columns of binary data are left out: {', '.join(left_out)}")
    return names


def _binary(kind: pa.DataType) -> bool:
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return True
    return kind.num_fields > 0 and any(_binary(kind.field(index).type) for index in range(kind.num_fields))


def class_names(schema: pa.Schema) -> dict[str, list[str]]:
    """Columns of class numbers and their names, as `datasets` writes them into the schema (ClassLabel)."""
    try:
        features = json.loads((schema.metadata or {})[b"huggingface"])["info"]["features"]
        return {
            name: list(feature["names"])
            for name, feature in features.items()
            if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
        }
    except (KeyError, ValueError, TypeError, AttributeError):
        return {}


def _named(values: list[Any], names: list[str]) -> list[Any]:
    """Class numbers as names; -1 is how `datasets` writes a missing label."""
    return [names[value] if isinstance(value, int) and 0 <= value < len(names) else None for value in values]


def _batches(files: Sequence[DataFile], names: list[str], start: Position | None) -> Iterator[RawBatch]:
    first = [file.name for file in files].index(start.file) if start else 0
    for data_file in files[first:]:
        row = start.offset if start and data_file.name == start.file else 0
        with open_file(data_file.path) as file:
            named = class_names(file.schema_arrow)
            for rows, columns in sound(data_file.path, _pieces(file, names, named, row)):
                if data_file.split is not None:
                    columns[SPLIT] = pa.repeat(pa.scalar(data_file.split, pa.large_string()), rows)
                lines = range(row + 1, row + rows + 1)
                row += rows
                yield RawBatch(data_file.name, lines, columns, [], Position(data_file.name, row, row + 1))


def _pieces(
    file: pq.ParquetFile, names: list[str], named: dict[str, list[str]], skip: int
) -> Iterator[tuple[int, dict[str, Sequence[Any] | pa.Array]]]:
    """The rows behind the first `skip` and how many they are, in pieces that are the same from wherever one starts."""
    for group in range(file.num_row_groups):
        rows = file.metadata.row_group(group).num_rows
        if skip >= rows:
            skip -= rows
            continue
        for read in file.iter_batches(rows_at_once(file.metadata, group), [group], names):
            if skip >= read.num_rows:
                skip -= read.num_rows
                continue
            # A value that is stored once for many rows takes more memory than the file says.
            at_once = rows_of_size(read.num_rows, read.nbytes)
            for begin in range(skip, read.num_rows, at_once):
                piece = read.slice(begin, at_once)
                yield piece.num_rows, {name: _values(piece.column(name), named.get(name)) for name in names}
            skip = 0


def rows_at_once(metadata: pq.FileMetaData, group: int) -> int:
    """How many rows of a row group make a batch, from what they take in the file without compression."""
    rows = metadata.row_group(group)
    return rows_of_size(rows.num_rows, rows.total_byte_size)


def rows_of_size(rows: int, size: int) -> int:
    """How many of so many rows a batch may hold, when they take so many bytes."""
    return max(1, min(BATCH_ROWS, rows * BATCH_CHARACTERS // max(1, size)))


def sound(path: Path, batches: Iterable[T]) -> Iterator[T]:
    """The batches as they come. Raises BadInput that names the place where the file turns out to be damaged."""
    read = 0
    try:
        for batch in batches:
            read += 1
            yield batch
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadInput(
            f"{path.name} is damaged: {first}",
            where=f"{path}, after batch {read}",
            next="copy or download it again; if it was made so, write it anew with what made it",
        ) from error


def _values(column: pa.Array, names: list[str] | None) -> Sequence[Any] | pa.Array:
    """Strings as an array, checked to be UTF-8; anything else as Python values. names: of class numbers."""
    if names is not None:
        return _named(column.to_pylist(), names)
    kind = column.type.value_type if pa.types.is_dictionary(column.type) else column.type
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)):
        return column.to_pylist()
    strings = column.cast(pa.large_string())
    strings.validate(full=True)
    return strings
