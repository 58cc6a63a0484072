"""Rows made from rows of a Dataset (augmented ones): further parts behind its own, which are kept as they are."""

from __future__ import annotations

import pyarrow as pa

from modelyard.errors import Fault
from modelyard.store.dataset import KEEP, POSITION, ROW_ID_TYPE, Column, Dataset, Layer, Part, PartFile
from modelyard.store.layers import POSITION_TYPE
from modelyard.store.manifests import Manifests
from modelyard.store.writers import keep_table

PARENT_ID = "parent_id"


class DerivedWriter:
    """Collects derived rows into parts. They hold every column of the Dataset, and `parent_id`: the row_id of the row
    that each was made from, null for rows that were there before."""

    def __init__(self, store: Manifests, dataset: Dataset, name: str) -> None:
        """name: of the layer that adds `parent_id`."""
        self._store = store
        self._dataset = dataset
        self._name = name
        self._parts: list[Part] = []
        self._types: dict[str, pa.DataType] = {}

    def write(self, table: pa.Table) -> Part:
        """One part of whole rows, `parent_id` with them."""
        names = (*(column.name for column in self._dataset.columns), PARENT_ID)
        if set(table.column_names) != set(names):
            raise Fault(f"derived rows have columns {table.column_names}, not {list(names)}")
        table = table.select(names)
        self._types = dict(zip(table.schema.names, table.schema.types, strict=True))
        self._parts.append(Part(table.num_rows, (PartFile(keep_table(self._store, table), names),)))
        return self._parts[-1]

    def finish(self) -> Dataset:
        """The Dataset with its own parts first; itself when no row was derived."""
        if not self._parts:
            return self._dataset
        here = [self._with_nothing(layer) for layer in self._dataset.layers]
        layers = [
            Layer(layer.name, layer.columns, layer.selects, (*layer.files, *[nothing] * len(self._parts)))
            for layer, nothing in zip(self._dataset.layers, here, strict=True)
        ]
        parts = [*self._dataset.parts, *self._parts]
        parent = Layer(self._name, (PARENT_ID,), False, (self._parents(),) * len(parts))
        columns = [*self._dataset.columns, Column(PARENT_ID, "value", "system")]
        return self._store.add_dataset(Dataset.manifest(columns, parts, [*layers, parent]))

    def _with_nothing(self, layer: Layer) -> str:
        """The file of a layer for a part in which it changes nothing: a sparse one without rows."""
        empty = {POSITION: pa.array([], POSITION_TYPE)}
        empty |= {name: pa.array([], self._types[name]) for name in layer.columns}
        if layer.selects:
            empty[KEEP] = pa.array([], pa.bool_())
        return keep_table(self._store, pa.table(empty))

    def _parents(self) -> str:
        return keep_table(
            self._store, pa.table({POSITION: pa.array([], POSITION_TYPE), PARENT_ID: pa.array([], ROW_ID_TYPE)})
        )
