"""Small keys of very many rows, on disk: written part by part, read back hash by hash, never all at once.

What only all rows together can tell (which of them are twins) is asked of one partition at a time: rows with equal keys
always lie in the same one.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from modelyard.store.dataset import Dataset

if TYPE_CHECKING:
    import polars as pl

PARTITION_ROWS = 1 << 19  # read back together: some 20 MB of keys, and a few times that to compare them
# Odd, so that multiplying by it loses nothing (the golden ratio in 64 bits, as in Fibonacci hashing).
_ODD = np.uint64(0x9E3779B97F4A7C15)


def partitions_for(rows: int) -> int:
    return 1 + rows // PARTITION_ROWS


class Spill:
    """Tables with a column `low` (uint64, a hash) that says which partition a row belongs to."""

    def __init__(self, folder: Path, dataset: Dataset | None = None, partitions: int | None = None) -> None:
        """folder: the spill's alone. partitions: those of another spill that this one is joined with, or as many as
        `partitions_for` says of a Dataset that is being made: its parts come one after the other."""
        parts = dataset.parts if dataset is not None else ()
        self.folder = folder
        self.partitions = partitions or partitions_for(sum(part.rows for part in parts))
        self._parts = len(parts)

    def go_on(self, parts: int) -> None:
        """The first parts of a Dataset that is being made lie there, from a run that was killed."""
        self._parts = parts

    def write(self, part: int, keys: pl.DataFrame) -> None:
        """The keys of a part, in any order that is kept within a partition."""
        import polars as pl

        self._parts = max(self._parts, part + 1)
        place = pl.Series("place", keys["low"] % self.partitions)
        ordered = keys.with_columns(place).sort("place", maintain_order=True)
        ends = np.searchsorted(ordered["place"].to_numpy(), np.arange(self.partitions), side="right")
        table = ordered.drop("place").to_arrow().combine_chunks()
        with pa.ipc.new_file(str(self._path(part)), table.schema) as writer:
            start = 0
            for end in ends.tolist():
                writer.write_batch(_one_batch(table.slice(start, end - start)))
                start = end
        with self._path(part).open("rb") as file:  # a journal may say that it is there
            os.fsync(file.fileno())

    def part(self, number: int) -> pl.DataFrame:
        """All keys of one part, partition after partition."""
        import polars as pl

        with self._opened(number) as reader:
            frame = pl.from_arrow(reader.read_all())
        assert isinstance(frame, pl.DataFrame)
        return frame

    def partition(self, number: int) -> pl.DataFrame:
        """The keys of one partition, of all parts, in their order."""
        import polars as pl

        batches = []
        for part in range(self._parts):
            with self._opened(part) as reader:
                batches.append(reader.get_batch(number))
        frame = pl.from_arrow(pa.Table.from_batches(batches))
        assert isinstance(frame, pl.DataFrame)
        return frame.rechunk()

    def each(self) -> Iterator[pl.DataFrame]:
        """Every partition."""
        return (self.partition(number) for number in range(self.partitions))

    def _path(self, part: int) -> Path:
        return self.folder / f"{part}.arrow"

    def _opened(self, part: int) -> pa.ipc.RecordBatchFileReader:
        return pa.ipc.open_file(pa.memory_map(str(self._path(part))))


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_pylist([], schema=table.schema)


def row_starts(dataset: Dataset) -> list[int]:
    """The number that the first row of each part has when all rows are counted, dropped ones too; then their sum."""
    return [0, *accumulate(part.rows for part in dataset.parts)]


def hash_pair(columns: Sequence[pl.Series]) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Two 64-bit hashes of each row's values, uint64 [rows] each.

    The chance that two of a thousand million rows that differ agree in both is below 10^-20.
    """
    pair = []
    for seed in (1, 2):
        folded = np.zeros(len(columns[0]), dtype=np.uint64)
        for column in columns:
            folded = folded * _ODD + column.hash(seed=seed).to_numpy()
        pair.append(folded)
    return pair[0], pair[1]
