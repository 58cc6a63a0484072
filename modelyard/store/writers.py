"""Writing Datasets: the parts, at ingest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.errors import Fault
from modelyard.store.dataset import Column, Dataset, Part, PartFile

if TYPE_CHECKING:
    from modelyard.store.store import Store

ROW_GROUP_BYTES = 4 << 20


def write_parquet(table: pa.Table, path: Path) -> None:
    """Zstandard-compressed Parquet in row groups of about 4 MiB, statistics kept, nothing about time or host."""
    rows_a_group = max(1, min(table.num_rows, table.num_rows * ROW_GROUP_BYTES // max(1, table.nbytes)))
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd", row_group_size=rows_a_group)


def keep_table(store: Store, table: pa.Table) -> str:
    """The table as an object of the store; answers its digest."""
    with store.new_directory() as folder:
        path = folder / "rows.parquet"
        write_parquet(table, path)
        return store.add_object(path, "parquet")


class PartsWriter:
    """Collects tables of whole rows into parts."""

    def __init__(self, store: Store, columns: Sequence[Column]) -> None:
        self._store = store
        self._columns = columns
        self._parts: list[Part] = []

    def write(self, table: pa.Table) -> None:
        """One part; its columns are those of the Dataset, in any order."""
        names = tuple(column.name for column in self._columns)
        if set(table.column_names) != set(names):
            raise Fault(f"a part has columns {table.column_names}, the dataset {list(names)}")
        self._parts.append(Part(table.num_rows, (PartFile(keep_table(self._store, table.select(names)), names),)))

    def finish(self, columns: Sequence[Column] | None = None) -> Dataset:
        """The Dataset. `columns` replaces the first descriptions (classes are known at the end)."""
        return self._store.add_dataset(Dataset.manifest(columns or self._columns, self._parts, []))
