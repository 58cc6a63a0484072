"""Dataset: a manifest over content-addressed Parquet files, in parts (slices of rows) and layers (what stages add).

A part's columns lie in one or more files. A layer holds, for each part, one file: columns that replace or join the
part's, and optionally a selection (`_keep`, bool). A dense file has a row for every row of the part. A sparse one has
a row for each that the stage changed, with its place in the part (`_position`, ascending); for the others `_keep` is
true, a column is what lies below, or null where there is nothing below, and so it is where a sparse file holds null.
Nothing joins on a key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from modelyard.errors import BadInput, Damaged
from modelyard.store.digests import digest_json
from modelyard.store.objects import Objects

FORMAT = 1
KEEP = "_keep"
POSITION = "_position"
ROW_ID = "row_id"
SPLIT = "split"
ROW_ID_TYPE = pa.binary(20)  # 16 bytes of hash, 4 bytes of big-endian ordinal among exact twins


@dataclass(frozen=True)
class Column:
    """A column as the chain sees it: its kind of field and its role.

    role: `input` (hashed into row_id), `target`, `group` (rows that must stay on one side), `meta`, or `system`.
    classes: for labels, the names in class order. public: which column of the task it is (`text`, `label`), if any.
    """

    name: str
    field: str
    role: str = "meta"
    classes: tuple[str, ...] = ()
    public: str = ""

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "field": self.field,
            "role": self.role,
            "classes": list(self.classes),
            "public": self.public,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Column:
        return Column(value["name"], value["field"], value["role"], tuple(value["classes"]), value.get("public", ""))


@dataclass(frozen=True)
class PartFile:
    """One Parquet file of a part: its digest and the columns it holds."""

    digest: str
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Part:
    """A slice of rows, as ingested; never rewritten."""

    rows: int
    files: tuple[PartFile, ...]


@dataclass(frozen=True)
class Layer:
    """What one stage added: a file a part (in the order of the parts), dense or sparse, aligned by position."""

    name: str
    columns: tuple[str, ...]
    selects: bool
    files: tuple[str, ...]


@dataclass(frozen=True)
class PartView:
    """One part seen through all layers."""

    dataset: Dataset
    index: int

    @property
    def rows(self) -> int:
        """All rows of the part, dropped ones included."""
        return self.dataset.parts[self.index].rows

    def selection(self) -> np.ndarray[Any, np.dtype[np.bool_]]:
        """Which rows are still in the Dataset: bool [rows]."""
        keep = np.ones(self.rows, dtype=np.bool_)
        for layer in self.dataset.layers:
            if layer.selects:
                file = self._layer_file(layer.files[self.index], [KEEP])
                kept = file[KEEP].to_numpy()
                if POSITION in file.column_names:
                    keep[file[POSITION].to_numpy()[~kept]] = False
                else:
                    keep &= kept
        return keep

    def read(self, columns: Sequence[str], *, dropped: bool = False) -> pa.Table:
        """The columns of the selected rows, in row order; of every row of the part when `dropped` is true."""
        table = pa.table({name: self._column(name) for name in columns})
        if dropped:
            return table
        selection = self.selection()
        return table if selection.all() else table.filter(pa.array(selection))

    def _column(self, name: str) -> pa.ChunkedArray:
        """From the uppermost dense file or the part's own; what sparse files above it say is laid over it."""
        over: list[pa.Table] = []
        values: pa.ChunkedArray | None = None
        for layer in reversed(self.dataset.layers):
            if name in layer.columns:
                file = self._layer_file(layer.files[self.index], [name])
                if POSITION not in file.column_names:
                    values = file[name]
                    break
                over.append(file)
        if values is None:
            values = self._own_column(name)
        if values is None:
            if not over:
                raise Damaged(f"column {name} is in no file of part {self.index} of dataset {self.dataset.digest[:12]}")
            values = pa.chunked_array([pa.nulls(self.rows, over[-1].schema.field(name).type)])
        for file in reversed(over):
            values = laid_over(values, file[POSITION].to_numpy(), file[name])
        return values

    def _own_column(self, name: str) -> pa.ChunkedArray | None:
        """The column as the part was ingested, None when it came later."""
        for own in self.dataset.parts[self.index].files:
            if name in own.columns:
                table = self._file(own.digest, [name])
                self._check_rows(own.digest, table)
                return table[name]
        return None

    def _layer_file(self, digest: str, columns: list[str]) -> pa.Table:
        """The columns, and `_position` when the file is sparse."""
        table = self._file(digest, [POSITION, *columns])
        if POSITION not in table.column_names:
            self._check_rows(digest, table)
        elif table.num_rows:
            positions = table[POSITION].to_numpy()
            if positions[0] < 0 or positions[-1] >= self.rows or (np.diff(positions) <= 0).any():
                raise Damaged(f"{digest[:12]}.parquet names rows that a part of {self.rows} rows does not have")
        return table

    def _check_rows(self, digest: str, table: pa.Table) -> None:
        if table.num_rows != self.rows:
            raise Damaged(f"{digest[:12]}.parquet holds {table.num_rows} rows, the manifest says {self.rows}")

    def _file(self, digest: str, columns: list[str]) -> pa.Table:
        """The columns of a file; `_position` only where it has one."""
        path = self.dataset.store.object(digest, "parquet")
        try:
            with pq.ParquetFile(path, memory_map=True) as file:
                there = file.schema_arrow.names
                missing = [name for name in columns if name not in there and name != POSITION]
                if not missing:
                    return file.read([name for name in columns if name in there], use_threads=False)
        except (pa.ArrowException, OSError) as error:
            raise Damaged(
                f"{path.name} cannot be read: {error}",
                where=str(path.parent),
                next="remove the file and run the chain again: the stage that made it will make it again",
            ) from error
        raise Damaged(f"{digest[:12]}.parquet has no column {missing[0]}", where=str(path.parent))


def laid_over(
    values: pa.ChunkedArray, positions: np.ndarray[Any, np.dtype[np.integer[Any]]], changed: pa.Array | pa.ChunkedArray
) -> pa.ChunkedArray:
    """The values with those at the positions replaced; where `changed` is null they stay."""
    if changed.null_count:
        valid = pc.is_valid(changed)
        positions, changed = positions[valid.to_numpy(zero_copy_only=False)], changed.filter(valid)
    if not len(changed):
        return values
    places = np.arange(len(values))
    places[positions] = len(values) + np.arange(len(changed))
    changed = changed.cast(values.type)
    added = changed.chunks if isinstance(changed, pa.ChunkedArray) else [changed]
    both = pa.chunked_array([*values.chunks, *added], type=values.type)
    return pa.chunked_array([both.combine_chunks().take(pa.array(places))])


@dataclass(frozen=True)
class Dataset:
    """Immutable, named by the digest of its manifest."""

    store: Objects = field(repr=False, compare=False)
    digest: str
    columns: tuple[Column, ...]
    parts: tuple[Part, ...]
    layers: tuple[Layer, ...]

    @staticmethod
    def manifest(columns: Sequence[Column], parts: Sequence[Part], layers: Sequence[Layer]) -> dict[str, Any]:
        """The JSON that is stored and digested."""
        return {
            "format": FORMAT,
            "columns": [column.as_json() for column in columns],
            "parts": [
                {
                    "rows": part.rows,
                    "files": [{"digest": f.digest, "columns": list(f.columns)} for f in part.files],
                }
                for part in parts
            ],
            "layers": [
                {"name": v.name, "columns": list(v.columns), "selects": v.selects, "files": list(v.files)}
                for v in layers
            ],
        }

    @staticmethod
    def from_manifest(store: Objects, manifest: Mapping[str, Any]) -> Dataset:
        if manifest.get("format") != FORMAT:
            raise Damaged(
                f"this dataset has manifest format {manifest.get('format')}, this version reads {FORMAT}",
                next="upgrade modelyard",
            )
        return Dataset(
            store,
            digest_json(manifest),
            tuple(Column.from_json(column) for column in manifest["columns"]),
            tuple(
                Part(part["rows"], tuple(PartFile(f["digest"], tuple(f["columns"])) for f in part["files"]))
                for part in manifest["parts"]
            ),
            tuple(Layer(v["name"], tuple(v["columns"]), v["selects"], tuple(v["files"])) for v in manifest["layers"]),
        )

    def files(self) -> Iterator[str]:
        """The digest of every Parquet file that it is made of."""
        for part in self.parts:
            yield from (file.digest for file in part.files)
        for layer in self.layers:
            yield from layer.files

    def views(self) -> Iterator[PartView]:
        """The parts, one by one: bounded memory."""
        return (PartView(self, index) for index in range(len(self.parts)))

    def read(self, columns: Sequence[str], where: Mapping[str, str] | None = None, rows: int | None = None) -> pa.Table:
        """Selected rows of all parts in memory; `where` keeps rows whose column has that value, `rows` so many of
        them, evenly spaced: what lies in front is of one class where data lie in a folder a class. What is not kept is
        gone before the next part is read."""
        wanted = [*columns, *(name for name in where or {} if name not in columns)]
        tables: list[pa.Table] = []
        chosen = None if rows is None else self._evenly(where, rows)
        before = 0
        for view in self.views():
            table = view.read(wanted)
            for name, value in (where or {}).items():
                table = table.filter(pc.equal(table[name], value))
            if chosen is not None:
                kept = np.isin(np.arange(before, before + table.num_rows), chosen)
                before += table.num_rows
                table = table.filter(pa.array(kept))
            tables.append(table.select(list(columns)))
        if not tables:
            raise BadInput("the dataset has no rows")
        return pa.concat_tables(tables, promote_options="permissive")

    def _evenly(self, where: Mapping[str, str] | None, rows: int) -> np.ndarray[Any, np.dtype[np.int64]]:
        """Places, counted over the rows that `where` keeps, of so many of them; of all where there are not more."""
        there = self.read(list(where), where).num_rows if where else self.rows()
        count = min(rows, there)
        return (2 * np.arange(count) + 1) * there // max(2 * count, 1)  # the middles of `count` equal stretches

    def rows(self) -> int:
        """The number of selected rows."""
        return sum(int(view.selection().sum()) for view in self.views())

    def has(self, name: str) -> bool:
        return any(column.name == name for column in self.columns)

    def column(self, name: str) -> Column:
        """Raises BadInput with the names there are."""
        for column in self.columns:
            if column.name == name:
                return column
        names = ", ".join(column.name for column in self.columns if column.role != "system")
        raise BadInput(f"the dataset has no column {name}", next=f"its columns are {names}")

    def with_role(self, role: str) -> tuple[Column, ...]:
        return tuple(column for column in self.columns if column.role == role)

    def the(self, role: str, field_name: str) -> Column:
        """The only column of that role and field. Raises BadInput when there is none or more than one."""
        found = [column for column in self.with_role(role) if column.field == field_name]
        if len(found) != 1:
            names = ", ".join(f"{column.name} ({column.role} {column.field})" for column in self.columns)
            raise BadInput(
                f"exactly one {role} column of kind {field_name} is needed, the dataset has {len(found)}",
                where=names,
                next=f"name it in modelyard.yaml, for instance `ingest: {{columns: {{{field_name}: NAME}}}}`",
            )
        return found[0]


def show_row_id(row_id: bytes) -> str:
    """A row_id as people and other tools read it: 32 hexadecimal characters, `.n` for the n-th further twin."""
    ordinal = int.from_bytes(row_id[16:], "big")
    return row_id[:16].hex() + (f".{ordinal}" if ordinal else "")


def parse_row_id(shown: str) -> bytes:
    """The inverse of `show_row_id`. Raises BadInput."""
    head, _, ordinal = shown.partition(".")
    try:
        row_id = bytes.fromhex(head) + int(ordinal or 0).to_bytes(4, "big")
    except (ValueError, OverflowError) as error:
        raise BadInput(f"{shown!r} is not a row id") from error
    if len(row_id) != 20:
        raise BadInput(f"{shown!r} is not a row id")
    return row_id
