"""What every reader hands on: raw rows in columns, with the place of each, and the rows that could not be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

BATCH_ROWS = 8192
BATCH_CHARACTERS = 8 << 20


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
    """Rows as they stand in the source: one list a column, all of one length, and the line each row starts at."""

    file: str
    lines: Sequence[int]
    columns: Mapping[str, Sequence[Any]]
    bad: Sequence[BadRow]


@dataclass(frozen=True)
class Source:
    """An opened source. details: what the report says of it (format, encoding, delimiter)."""

    details: dict[str, Any]
    batches: Iterator[RawBatch]
    several_files: bool = False
    notes: list[str] = field(default_factory=list)
