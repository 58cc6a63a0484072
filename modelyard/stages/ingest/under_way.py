"""A Dataset under way: parts in the store, the hashes of their rows, and a journal by which a killed run goes on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from modelyard.run import Run
from modelyard.stages.ingest.batch import Position
from modelyard.stages.ingest.row_ids import Hashes
from modelyard.stages.ingest.tally import Tally
from modelyard.stages.ingest.twins import Twins
from modelyard.store import Column, Dataset, Part
from modelyard.store.dataset import ROW_ID, PartFile
from modelyard.store.journal import Journal
from modelyard.store.spill import partitions_for

FORMAT = 1
BYTES_A_ROW = 64  # by which the rows of a source are estimated; with shorter ones a partition only becomes larger


@dataclass(frozen=True)
class Piece:
    """The rows of one part without row_id, their hashes, and where the reader stands behind them, if it can tell."""

    table: pa.Table
    hashes: Hashes
    after: Position | None


class UnderWay:
    """Parts are added as they are read; `finish` gives every row its id when all hashes are known.

    tally: all rows up to `start`, the place behind the last part that a killed run of the same work left; None at the
    beginning. `count` it on, so that it says of each part that is added what was counted up to it.
    """

    def __init__(self, identity: Any, columns: Sequence[Column], size: int, run: Run) -> None:
        """identity: JSON of all that the parts depend on. size: bytes of the source."""
        folder = run.scratch("ingest")
        self._run = run
        self._journal = Journal(
            folder / "journal", {"format": FORMAT, "columns": [c.as_json() for c in columns], **identity}
        )
        self._writer = run.store.new_dataset(columns, later=[ROW_ID])
        self._twins = Twins(_made(folder / "hashes"), partitions_for(size // BYTES_A_ROW))
        self.tally = Tally()
        self.start: Position | None = None
        self._go_on()

    def _go_on(self) -> None:
        """Take what lies there; where a part is gone from the store it and those behind it are to be made again."""
        entries = self._journal.entries
        there = 0
        for place, entry in enumerate(entries, start=1):
            if not self._run.store.has_object(entry["file"], "parquet"):
                break
            if entry["after"] is not None:
                there = place
        self._journal.keep(there)
        if not there:
            return
        self._writer.go_on([Part(each["rows"], (PartFile(each["file"], tuple(each["columns"])),)) for each in entries])
        self._twins.go_on([each["rows"] for each in entries])
        self.tally = Tally.from_json(entries[-1]["tally"])
        self.start = Position(**entries[-1]["after"])

    def add(self, piece: Piece) -> None:
        """A part is safe on the disk after that."""
        part = self._writer.write(piece.table)
        self._twins.add(piece.hashes)
        (file,) = part.files
        self._journal.add(
            {
                "rows": part.rows,
                "file": file.digest,
                "columns": list(file.columns),
                "after": asdict(piece.after) if piece.after else None,
                "tally": self.tally.as_json(),
            }
        )

    def finish(self, columns: Sequence[Column]) -> Dataset:
        """columns: described as they are known now."""
        for index, ids in enumerate(self._run.progress(self._twins.ids(), "row ids", total=self._twins.parts)):
            self._writer.add(index, pa.table({ROW_ID: ids}))
        return self._writer.finish(columns)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
