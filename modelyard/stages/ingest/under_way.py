"""A Dataset under way: parts in the store, the hashes of their rows, and a journal by which a killed run goes on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa

from modelyard.run import Run
from modelyard.stages.ingest.batch import Position
from modelyard.stages.ingest.extent import Earlier
from modelyard.stages.ingest.pieces import Piece
from modelyard.stages.ingest.tally import Tally
from modelyard.stages.ingest.twins import Twins
from modelyard.store import Column, Dataset, Part
from modelyard.store.dataset import ROW_ID, PartFile
from modelyard.store.journal import Journal
from modelyard.store.row_id_columns import id_bytes
from modelyard.store.row_ids import HASH_BYTES
from modelyard.store.spill import partitions_for

FORMAT = 1
BYTES_A_ROW = 64  # by which the rows of a source are estimated; with shorter ones a partition only becomes larger


class UnderWay:
    """Parts are added as they are read; `finish` gives every row its id when all hashes are known.

    tally: all rows up to `start`. `count` it on, so that it says of each part that is added what was counted up to it.
    start: the place behind the last part that a killed run of the same work left; None when there is none.
    """

    def __init__(
        self, identity: Mapping[str, Any], columns: Sequence[Column], size: int, run: Run, earlier: Earlier | None
    ) -> None:
        """identity: JSON of all that the parts depend on. size: bytes of the source. earlier: the rows that come first,
        whose parts are kept as they are."""
        folder = run.scratch("ingest")
        self._run = run
        partitions = partitions_for(size // BYTES_A_ROW)
        work = {
            "format": FORMAT,
            "columns": [column.as_json() for column in columns],
            "earlier": earlier.dataset.digest if earlier else None,
            "partitions": partitions,
        }
        self._journal = Journal(folder / "journal", {**work, **identity})
        self._writer = run.store.new_dataset(columns, later=[ROW_ID])
        self._twins = Twins(_made(folder / "hashes"), partitions)
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._written: Future[None] | None = None
        self._kept = earlier.dataset.parts if earlier else ()
        self.tally = earlier.tally if earlier else Tally()
        self.start: Position | None = None
        for view in earlier.dataset.views() if earlier else ():
            self._twins.add(id_bytes(view.read([ROW_ID])[ROW_ID])[:, :HASH_BYTES])
        self._go_on()

    def _go_on(self) -> None:
        """Take what lies there; where a part is gone from the store it and those behind it are to be made again."""
        there = 0
        for place, entry in enumerate(self._journal.entries, start=1):
            if not self._run.store.has_object(entry["file"], "parquet"):
                break
            if entry["tally"]["after"] is not None:
                there = place
        self._journal.keep(there)
        entries = self._journal.entries
        parts = [Part(each["rows"], (PartFile(each["file"], tuple(each["columns"])),)) for each in entries]
        self._writer.go_on([*self._kept, *parts])
        self._twins.go_on([part.rows for part in parts])
        if entries:
            self.tally = Tally.from_json(entries[-1]["tally"])
            self.start = self.tally.after

    def __enter__(self) -> UnderWay:
        return self

    def __exit__(self, *raised: object) -> None:
        """Every part that was added lies safely on the disk after that."""
        self._thread.shutdown()
        if raised[0] is None:
            self._settle()

    def add(self, piece: Piece) -> None:
        """The part is written while the next one is read: compressing and writing let go of the interpreter.

        Raises what went wrong with the part before.
        """
        counted = self.tally.as_json()
        self._settle()
        self._written = self._thread.submit(self._write, piece, counted)

    def _settle(self) -> None:
        if self._written is not None:
            self._written.result()

    def _write(self, piece: Piece, counted: dict[str, Any]) -> None:
        part = self._writer.write(piece.table)
        self._twins.add(piece.hashes)
        (file,) = part.files
        entry = {"rows": part.rows, "file": file.digest, "columns": list(file.columns), "tally": counted}
        self._journal.add(entry)

    def finish(self, columns: Sequence[Column]) -> Dataset:
        """columns: described as they are known now."""
        first = len(self._kept)
        ids = self._run.progress(self._twins.ids(first), "row ids", total=self._twins.parts - first)
        for index, minted in enumerate(ids, start=first):
            self._writer.add(index, pa.table({ROW_ID: minted}))
        return self._writer.finish(columns)


def _made(folder: Path) -> Path:
    folder.mkdir(exist_ok=True)
    return folder
