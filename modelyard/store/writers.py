"""Writing Datasets: the parts, at ingest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.errors import Fault
from modelyard.store.dataset import Column, Dataset, Part, PartFile
from modelyard.store.manifests import Manifests
from modelyard.store.objects import Objects

ROW_GROUP_BYTES = 4 << 20
MEDIA_ROWS = 500  # at most in a row group that holds files: one of them is read without all the others


def write_parquet(table: pa.Table, path: Path, metadata: Mapping[str, str] | None = None) -> None:
    """Zstandard-compressed Parquet in row groups of about 4 MiB, statistics kept, nothing about time or host."""
    rows_a_group = max(1, min(table.num_rows, table.num_rows * ROW_GROUP_BYTES // max(1, table.nbytes)))
    if any(map(_holds_files, table.schema.types)):
        rows_a_group = min(rows_a_group, MEDIA_ROWS)
    pq.write_table(table.replace_schema_metadata(metadata), path, compression="zstd", row_group_size=rows_a_group)


def _holds_files(kind: pa.DataType) -> bool:
    return bool(pa.types.is_large_binary(kind) or (pa.types.is_struct(kind) and kind.get_field_index("bytes") >= 0))


def keep_table(store: Objects, table: pa.Table) -> str:
    """The table as an object of the store; answers its digest."""
    with store.new_directory() as folder:
        path = folder / "rows.parquet"
        write_parquet(table, path)
        return store.add_object(path, "parquet")


class PartsWriter:
    """Collects tables of whole rows into parts."""

    def __init__(self, store: Manifests, columns: Sequence[Column], later: Sequence[str] = ()) -> None:
        """later: columns whose values are known when all parts are written; `add` brings them."""
        self._store = store
        self._columns = columns
        self._later = tuple(later)
        self._parts: list[Part] = []

    def write(self, table: pa.Table) -> Part:
        """One part; its columns are those of the Dataset but the later ones, in any order."""
        names = tuple(column.name for column in self._columns if column.name not in self._later)
        if set(table.column_names) != set(names):
            raise Fault(f"a part has columns {table.column_names}, the dataset {list(names)}")
        self._parts.append(Part(table.num_rows, (PartFile(keep_table(self._store, table.select(names)), names),)))
        return self._parts[-1]

    def go_on(self, parts: Sequence[Part]) -> None:
        """Begin with parts that lie in the store already."""
        self._parts = list(parts)

    def add(self, index: int, table: pa.Table) -> None:
        """The later columns of a part."""
        part = self._parts[index]
        if table.num_rows != part.rows or set(table.column_names) != set(self._later):
            raise Fault(f"part {index}: {table.num_rows} rows of {table.column_names} for {part.rows}")
        file = PartFile(keep_table(self._store, table.select(self._later)), self._later)
        self._parts[index] = Part(part.rows, (*part.files, file))

    def finish(self, columns: Sequence[Column] | None = None) -> Dataset:
        """The Dataset. `columns` replaces the first descriptions (classes are known at the end)."""
        lacking = [index for index, part in enumerate(self._parts) if not self._is_whole(part)]
        if lacking:
            raise Fault(f"part {lacking[0]} lacks the columns {list(self._later)}")
        return self._store.add_dataset(Dataset.manifest(columns or self._columns, self._parts, []))

    def _is_whole(self, part: Part) -> bool:
        there = {name for file in part.files for name in file.columns}
        return there == {column.name for column in self._columns}
