"""Which of its exact twins each row is, told from the hashes of all rows on disk, one partition of them at a time."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.store.row_ids import HASH_BYTES, Hashes, row_ids
from modelyard.store.spill import Spill

FURTHER = np.dtype([("row", np.int64), ("ordinal", np.uint32)])


class Twins:
    """The hashes of the rows of each part, and from all of them the row ids of each part."""

    def __init__(self, folder: Path, partitions: int) -> None:
        """folder: empty, or what the same work left there."""
        self._folder = folder
        self._spill = Spill(folder, partitions=partitions)
        self._starts = [0]

    def add(self, hashes: Hashes) -> None:
        """The rows of the next part, in their order. They lie safely on the disk after that."""
        import polars as pl

        halves = np.ascontiguousarray(hashes).view(np.uint64)
        rows = np.arange(self._starts[-1], self._starts[-1] + len(hashes))
        self._spill.write(self.parts, pl.DataFrame({"low": halves[:, 0], "high": halves[:, 1], "row": rows}))
        self._starts.append(self._starts[-1] + len(hashes))

    def go_on(self, rows: list[int]) -> None:
        """Behind the parts that were added, parts of so many rows each were added by a run that was killed."""
        for count in rows:
            self._starts.append(self._starts[-1] + count)
        self._spill.go_on(self.parts)

    @property
    def parts(self) -> int:
        """How many were added."""
        return len(self._starts) - 1

    def ids(self, first: int = 0) -> Iterator[pa.Array]:
        """row_id of the rows of each part from `first` on."""
        further = self._further()
        for part in range(first, self.parts):
            start, end = self._starts[part : part + 2]
            keys = self._spill.part(part)
            halves = np.empty((end - start, 2), dtype=np.uint64)
            halves[keys["row"].to_numpy() - start] = keys.select("low", "high").to_numpy()
            ordinals = np.zeros(end - start, dtype=np.uint32)
            for found in further:
                here = found[slice(*np.searchsorted(found["row"], [start, end]))]
                ordinals[here["row"] - start] = here["ordinal"]
            yield row_ids(halves.view(np.uint8).reshape(-1, HASH_BYTES), ordinals)

    def _further(self) -> list[np.ndarray[Any, np.dtype[np.void]]]:
        """Of each partition the rows that are not the first of their kind, ascending, and the ordinal of each.

        They stay on disk: how many there are depends on the data.
        """
        path, sizes = self._folder / "further", []
        with path.open("wb") as file:
            for keys in self._spill.each():
                low, high, rows = (keys[name].to_numpy() for name in ("low", "high", "row"))
                # Both sorts are stable and the rows of a partition lie in their order: so do twins.
                order = np.lexsort((high, low))
                low, high, places = low[order], high[order], np.arange(len(order))
                first = np.ones(len(order), dtype=np.bool_)
                first[1:] = (low[1:] != low[:-1]) | (high[1:] != high[:-1])
                others = np.flatnonzero(~first)
                records = np.empty(len(others), dtype=FURTHER)
                records["row"] = rows[order[others]]
                records["ordinal"] = (places - np.maximum.accumulate(np.where(first, places, 0)))[others]
                records.sort(order="row")
                file.write(records.tobytes())
                sizes.append(len(records))
        if not sum(sizes):
            return []
        mapped = np.memmap(path, dtype=FURTHER, mode="r")
        return np.split(mapped, np.cumsum(sizes)[:-1])
