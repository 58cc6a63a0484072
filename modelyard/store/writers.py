"""Writing Datasets: the first parts at ingest, a layer at every later stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from modelyard.errors import Fault
from modelyard.store.dataset import KEEP, Column, Dataset, Layer, Part, PartFile, PartView

if TYPE_CHECKING:
    from modelyard.store.store import Store

ROW_GROUP_BYTES = 4 << 20


def write_parquet(table: pa.Table, path: Path) -> None:
    """Zstandard-compressed Parquet in row groups of about 4 MiB, statistics kept, nothing about time or host."""
    rows_a_group = max(1, min(table.num_rows, table.num_rows * ROW_GROUP_BYTES // max(1, table.nbytes)))
    pq.write_table(table.replace_schema_metadata(None), path, compression="zstd", row_group_size=rows_a_group)


def _keep(store: Store, table: pa.Table) -> str:
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
        self._parts.append(Part(table.num_rows, (PartFile(_keep(self._store, table.select(names)), names),)))

    def finish(self, columns: Sequence[Column] | None = None) -> Dataset:
        """The Dataset. `columns` replaces the first descriptions (classes are known at the end)."""
        return self._store.add_dataset(Dataset.manifest(columns or self._columns, self._parts, []))


class LayerWriter:
    """Adds one layer to a Dataset: call `write` once a part, in order."""

    def __init__(self, store: Store, dataset: Dataset, name: str, columns: Sequence[Column] = ()) -> None:
        """`columns` are those that the layer adds, or replaces under the same name."""
        self._store = store
        self._dataset = dataset
        self._name = name
        self._columns = columns
        self._files: list[str] = []
        self._selects: bool | None = None

    def write(
        self,
        view: PartView,
        columns: Mapping[str, pa.Array | pa.ChunkedArray],
        keep: np.ndarray[Any, np.dtype[np.bool_]] | None = None,
    ) -> None:
        """The layer's columns for every row of the part (dropped ones too), and which rows stay."""
        if view.index != len(self._files):
            raise Fault(f"layer {self._name}: part {view.index} written out of order")
        if self._selects not in (None, keep is not None):
            raise Fault(f"layer {self._name}: a selection for some parts and not for others")
        self._selects = keep is not None
        content = dict(columns)
        if keep is not None:
            content[KEEP] = pa.array(keep)
        table = pa.table(content)
        if table.num_rows != view.rows:
            raise Fault(f"layer {self._name}: {table.num_rows} rows for a part of {view.rows}")
        self._files.append(_keep(self._store, table))

    def finish(self, columns: Sequence[Column] | None = None) -> Dataset:
        """The Dataset with the layer on top. `columns` replaces the first descriptions (classes found late)."""
        if len(self._files) != len(self._dataset.parts):
            raise Fault(f"layer {self._name}: {len(self._files)} of {len(self._dataset.parts)} parts written")
        added = {column.name: column for column in (columns if columns is not None else self._columns)}
        described = [added.pop(column.name, column) for column in self._dataset.columns] + list(added.values())
        names = tuple(column.name for column in (columns if columns is not None else self._columns))
        layer = Layer(self._name, names, bool(self._selects), tuple(self._files))
        return self._store.add_dataset(Dataset.manifest(described, self._dataset.parts, [*self._dataset.layers, layer]))
