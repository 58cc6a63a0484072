"""Writing layers: what a stage changed in each part of a Dataset, as a sparse file or a dense one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.errors import Fault
from modelyard.store.dataset import KEEP, POSITION, Column, Dataset, Layer, PartView, laid_over
from modelyard.store.journal import Journal
from modelyard.store.manifests import Manifests
from modelyard.store.writers import keep_table

# Above this share of changed rows a part is written dense: to read what lies below as well costs more than it saves.
DENSE_SHARE = 0.5
POSITION_TYPE = pa.int32()

Positions = np.ndarray[Any, np.dtype[np.int64]]
Mask = np.ndarray[Any, np.dtype[np.bool_]]


@dataclass(frozen=True)
class Sparse:
    """The values of a column at some places of a part (ascending). Elsewhere, and where a value is null, it stays what
    it is below: null for a new column. So this turns no value into null; a dense column can."""

    positions: Positions
    values: pa.Array | pa.ChunkedArray


class LayerWriter:
    """Adds one layer to a Dataset: call `write` once a part, in order."""

    def __init__(self, store: Manifests, dataset: Dataset, name: str, columns: Sequence[Column] = ()) -> None:
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
        columns: Mapping[str, pa.Array | pa.ChunkedArray | Sparse],
        keep: Mask | None = None,
    ) -> str:
        """The layer's columns, for every row of the part (dropped ones too) or Sparse, and which rows stay.

        With a column that is not Sparse, or many changed rows, the file is dense. Answers its digest.
        """
        if view.index != len(self._files):
            raise Fault(f"layer {self._name}: part {view.index} written out of order")
        if self._selects not in (None, keep is not None):
            raise Fault(f"layer {self._name}: a selection for some parts and not for others")
        for name, values in columns.items():
            _check(f"layer {self._name}, column {name}", values, view.rows)
        if keep is not None and len(keep) != view.rows:
            raise Fault(f"layer {self._name}: {len(keep)} rows for a part of {view.rows}")
        self._selects = keep is not None
        sparse = {name: each for name, each in columns.items() if isinstance(each, Sparse)}
        changed = _changed_rows(sparse, keep)
        if len(sparse) == len(columns) and len(changed) <= DENSE_SHARE * view.rows:
            table = _sparse_table(sparse, keep, changed)
        else:
            table = self._dense_table(view, columns, keep)
        self._files.append(keep_table(self._store, table))
        return self._files[-1]

    def go_on(self, journal: Journal, *, selects: bool) -> int:
        """Take the files that the journal names (`file`), part by part, as written; answers how many there are.

        Where one is gone from the store, that part and those behind it are to be made again.
        """
        files = [entry["file"] for entry in journal.entries]
        there = list(takewhile(lambda digest: self._store.has_object(digest, "parquet"), files))
        journal.keep(len(there))
        self._files = there
        self._selects = selects if there else None
        return len(there)

    def _dense_table(
        self, view: PartView, columns: Mapping[str, pa.Array | pa.ChunkedArray | Sparse], keep: Mask | None
    ) -> pa.Table:
        content: dict[str, Any] = {}
        for name, values in columns.items():
            if not isinstance(values, Sparse):
                content[name] = values
                continue
            if self._dataset.has(name):
                below = view.read([name], dropped=True)[name]
            else:
                below = pa.chunked_array([pa.nulls(view.rows, values.values.type)])
            content[name] = laid_over(below, values.positions, values.values)
        if keep is not None:
            content[KEEP] = pa.array(keep)
        return pa.table(content)

    def finish(self, *, stored: bool = True) -> Dataset:
        """The Dataset with the layer on top.

        stored: false when another layer follows at once, so that nothing is named that nobody asks for.
        """
        if len(self._files) != len(self._dataset.parts):
            raise Fault(f"layer {self._name}: {len(self._files)} of {len(self._dataset.parts)} parts written")
        added = {column.name: column for column in self._columns}
        described = [added.pop(column.name, column) for column in self._dataset.columns] + list(added.values())
        names = tuple(column.name for column in self._columns)
        layer = Layer(self._name, names, bool(self._selects), tuple(self._files))
        manifest = Dataset.manifest(described, self._dataset.parts, [*self._dataset.layers, layer])
        return self._store.add_dataset(manifest) if stored else Dataset.from_manifest(self._store, manifest)


def _check(what: str, values: pa.Array | pa.ChunkedArray | Sparse, rows: int) -> None:
    if not isinstance(values, Sparse):
        if len(values) != rows:
            raise Fault(f"{what}: {len(values)} rows for a part of {rows}")
        return
    places = values.positions
    if len(places) != len(values.values):
        raise Fault(f"{what}: {len(values.values)} values for {len(places)} places")
    if len(places) and (places[0] < 0 or places[-1] >= rows or (np.diff(places) <= 0).any()):
        raise Fault(f"{what}: places that a part of {rows} rows does not have, or not ascending")


def _changed_rows(sparse: Mapping[str, Sparse], keep: Mask | None) -> Positions:
    """Every place that a sparse file must hold."""
    places = [each.positions for each in sparse.values()]
    if keep is not None:
        places.append(np.flatnonzero(~keep))
    return np.unique(np.concatenate(places)) if places else np.zeros(0, dtype=np.int64)


def _sparse_table(sparse: Mapping[str, Sparse], keep: Mask | None, changed: Positions) -> pa.Table:
    content: dict[str, Any] = {POSITION: pa.array(changed, type=POSITION_TYPE)}
    for name, each in sparse.items():
        nothing = pa.chunked_array([pa.nulls(len(changed), each.values.type)])
        content[name] = laid_over(nothing, np.searchsorted(changed, each.positions), each.values)
    if keep is not None:
        content[KEEP] = pa.array(keep[changed])
    return pa.table(content)
