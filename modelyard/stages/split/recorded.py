"""Sides that are decided already: by the source, by this split before, or by the split of what the data were before."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from modelyard.errors import BadInput
from modelyard.stages.split.config import SIDES
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, SPLIT
from modelyard.store.row_id_columns import id_bytes, id_keys
from modelyard.store.spill import Spill, row_starts

if TYPE_CHECKING:
    import polars as pl

HEAD = "group_head"
NO_SIDE = -1

Rows = np.ndarray[Any, np.dtype[np.int64]]
Ids = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass
class Recorded:
    """side: a code into SIDES or NO_SIDE, int8 [all rows]; known: whether the head of the row is recorded too, bool
    [all rows]; both lie in files. rows, heads: those that another row heads: int64 [n], row_ids uint8 [n, 20]."""

    side: np.ndarray[Any, np.dtype[np.int8]]
    known: np.ndarray[Any, np.dtype[np.bool_]]
    rows: Rows
    heads: Ids

    def head_of(self, rows: Rows, ids: Ids) -> Ids:
        """The recorded head of rows, their own row_id where there is none: uint8 [rows, 20]."""
        if not len(self.rows):
            return ids
        place = np.minimum(np.searchsorted(self.rows, rows), len(self.rows) - 1)
        other = self.rows[place] == rows
        heads = ids.copy()
        heads[other] = self.heads[place[other]]
        return heads


def read_recorded(dataset: Dataset, twins: Spill, earlier: Dataset | None, keep: bool, folder: Path) -> Recorded:
    """What the Dataset says; for rows that it says nothing of, what `earlier` said of the row with that row_id.

    twins: the keys of exact twins. keep: false forgets all of it. folder: where the arrays of all rows lie.
    """
    size = sum(part.rows for part in dataset.parts)
    side = _file(folder / "side.npy", size, np.int8)
    side[:] = NO_SIDE
    known = _file(folder / "known.npy", size, np.bool_)
    rows, heads = [np.zeros(0, dtype=np.int64)], [np.zeros((0, 20), dtype=np.uint8)]
    if keep and dataset.has(SPLIT):
        starts, headed = row_starts(dataset), dataset.has(HEAD)
        for view in dataset.views():
            table = view.read([ROW_ID, SPLIT, *([HEAD] if headed else [])])
            places = starts[view.index] + np.flatnonzero(view.selection())
            side[places] = codes = side_codes(table[SPLIT])
            if headed:
                known[places] = codes != NO_SIDE
                ids, led = id_bytes(table[ROW_ID]), id_bytes(table[HEAD])
                other = table[HEAD].is_valid().to_numpy() & (ids != led).any(axis=1)
                rows.append(places[other])
                heads.append(led[other])
    if keep and earlier is not None and earlier.parts:
        for places, codes, others, led in _of_earlier(earlier, twins, folder / "earlier"):
            new = side[places] == NO_SIDE
            added = ~known[places]
            side[places[new]] = codes[new]
            known[places] = True
            take = np.isin(others, places[added])
            rows.append(others[take])
            heads.append(led[take])
    all_rows, all_heads = np.concatenate(rows), np.concatenate(heads)
    order = np.argsort(all_rows, kind="stable")
    return Recorded(side, known, all_rows[order], all_heads[order])


def _file(path: Path, size: int, kind: type[np.generic]) -> Any:
    """An array of zeros that lies on disk; memory holds what of it is in use."""
    if not size:
        return np.zeros(0, dtype=kind)
    return np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=(size,))


def side_codes(names: pa.ChunkedArray) -> np.ndarray[Any, np.dtype[np.int8]]:
    """Names of sides as int8 codes, null as NO_SIDE. Raises BadInput for another name."""
    found = pc.index_in(names.cast(pa.large_string()), pa.array(SIDES, pa.large_string()))
    strange = names.filter(pc.and_(found.is_null(), names.is_valid()))
    if len(strange):
        raise BadInput(
            f"the column {SPLIT} says {strange[0].as_py()!r}, which is no side",
            next=f"a side is one of {', '.join(SIDES)}",
        )
    codes: np.ndarray[Any, np.dtype[np.int8]] = found.fill_null(NO_SIDE).to_numpy().astype(np.int8)
    return codes


def _of_earlier(
    earlier: Dataset, twins: Spill, folder: Path
) -> Iterator[tuple[Rows, np.ndarray[Any, np.dtype[np.int8]], Rows, Ids]]:
    """Partition by partition: rows that an earlier split held, the codes of their sides, and of the rows among them
    that another row headed the numbers and the heads."""
    import polars as pl

    spill = Spill(folder, earlier, twins.partitions)
    folder.mkdir(exist_ok=True)
    for view in earlier.views():
        spill.write(view.index, _earlier_keys(view.read([ROW_ID, SPLIT, HEAD])))
    key = ["low", "high", "ordinal"]
    for number in range(twins.partitions):
        joined = twins.partition(number).join(spill.partition(number), on=key, how="inner").sort("row")
        joined = joined.filter(pl.col("side") != NO_SIDE)
        others = joined.filter(pl.col("head").is_not_null())
        led = np.frombuffer(b"".join(others["head"].to_list()), dtype=np.uint8).reshape(-1, 20)
        yield joined["row"].to_numpy(), joined["side"].to_numpy(), others["row"].to_numpy(), led


def _earlier_keys(table: pa.Table) -> pl.DataFrame:
    import polars as pl

    ids, led = id_bytes(table[ROW_ID]), id_bytes(table[HEAD])
    low, high, ordinal = id_keys(ids)
    own = pl.Series((ids == led).all(axis=1))
    frame = pl.DataFrame({"low": low, "high": high, "ordinal": ordinal, "side": side_codes(table[SPLIT])})
    head = pl.Series("head", table[HEAD].cast(pa.large_binary()))
    return frame.with_columns(head).with_columns(pl.when(own).then(None).otherwise(pl.col("head")).alias("head"))
