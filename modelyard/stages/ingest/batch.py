"""What every reader hands on: raw rows in columns, with the place of each, and the rows that could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

BATCH_ROWS = 8192
BATCH_CHARACTERS = 8 << 20
BATCH_BAD_ROWS = 1 << 18


@dataclass(frozen=True)
class Position:
    """A place between two rows of a source, at which a reader can start.

    file: its name seen from the source. offset: the byte in the file as it lies on disk at which the next row begins;
    in Parquet the rows before it. line: that of the next row, from 1; in Parquet its row number.
    """

    file: str
    offset: int
    line: int


@dataclass(frozen=True)
class BadRow:
    """A row that was set aside: where it stands (line from 1; the row number in Parquet) and what is wrong."""

    file: str
    line: int
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "reason": self.reason}


@dataclass(frozen=True)
class RawBatch:
    """Rows as they stand in the source: one list or Arrow array a column, all of one length, and the line each row
    starts at.

    files: that of each row, where every row is a file of its own. left_out: what in rows was not taken, by reason.
    after: where the reader stands behind the batch; None where it can be no place to start at (see `LineOffsets.at`).
    A reader that starts there gives the same batches as the one that went on, without columns that no row there has.
    """

    file: str
    lines: Sequence[int]
    columns: Mapping[str, Sequence[Any] | pa.Array]
    bad: Sequence[BadRow]
    after: Position | None = None
    files: Sequence[str] = ()
    left_out: Mapping[str, int] = field(default_factory=dict)

    def values(self) -> dict[str, Sequence[Any]]:
        """The columns as Python values."""
        columns = self.columns.items()
        return {name: raw.to_pylist() if isinstance(raw, pa.Array) else raw for name, raw in columns}


def strings_or_values(values: Sequence[Any]) -> Sequence[Any] | pa.Array:
    """Strings as an array; the values themselves where one is none, or holds half a surrogate pair."""
    try:
        return pa.array(values, type=pa.large_string())
    except (pa.ArrowException, UnicodeEncodeError):
        return values


@dataclass(frozen=True)
class Source:
    """An opened source. details: what the report says of it (format, encoding, delimiter).

    batches: all of it, read once; read_from: the batches behind a place in it.
    """

    details: dict[str, Any]
    batches: Iterator[RawBatch]
    read_from: Callable[[Position], Iterator[RawBatch]]
    several_files: bool = False
    notes: list[str] = field(default_factory=list)
