"""Pictures as rows: each row is a file, with what is said of it elsewhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from modelyard.media.pixels import MOST_BYTES
from modelyard.stages.ingest.batch import BATCH_CHARACTERS, BadRow, Position, RawBatch, Source
from modelyard.store.dataset import SPLIT
from modelyard.store.writers import MEDIA_ROWS

IMAGE = "image"


@dataclass(frozen=True)
class Picture:
    """A row to be. name: of the file, seen from the source; None: there is no such file, and `said` is why. said: what
    the reader needs to fill the other columns."""

    name: str | None
    said: Any
    split: str | None = None


@dataclass(frozen=True)
class Filled:
    """The other columns of a row, and what of it was left out, by reason."""

    columns: Mapping[str, Any]
    left_out: Mapping[str, int] = field(default_factory=dict)


class Unusable(ValueError):
    """A row that cannot be used. file, line: where it says so, when that is not the picture."""

    def __init__(self, reason: str, file: str | None = None, line: int = 1) -> None:
        super().__init__(reason)
        self.reason = reason
        self.file = file
        self.line = line


@dataclass(frozen=True)
class PictureRows:
    """The pictures of a source in their order; their names lie in memory, their files are read one after the other.

    columns: the names of the other columns. fill: those of one picture, from its file. bad: rows that are none.
    """

    folder: Path
    pictures: Sequence[Picture]
    columns: Sequence[str]
    fill: Callable[[Picture, bytes], Filled]
    bad: Sequence[BadRow] = ()

    def source(self, details: dict[str, Any], notes: list[str]) -> Source:
        return Source(details, self.batches(None), self.batches, several_files=True, notes=notes)

    @cached_property
    def has_sides(self) -> bool:
        """Where all of it is one side, nothing is split."""
        return len({picture.split for picture in self.pictures if picture.split}) > 1

    def batches(self, start: Position | None) -> Iterator[RawBatch]:
        """At most MEDIA_ROWS rows each, and about BATCH_CHARACTERS bytes."""
        first = start.offset if start else 0
        bad: list[BadRow] = [] if start else list(self.bad)
        files: list[str] = []
        rows: list[dict[str, Any]] = []
        left_out: Counter[str] = Counter()
        size = 0

        def batch(behind: int) -> RawBatch:
            names = [IMAGE, *self.columns, *([SPLIT] if self.has_sides else [])]
            columns = {name: [row.get(name) for row in rows] for name in names}
            last = self.pictures[behind - 1].name if behind else None
            after = Position(last or "", behind, behind + 1)
            return RawBatch(self.folder.name, [1] * len(rows), columns, bad, after, files, left_out)

        for place in range(first, len(self.pictures)):
            picture = self.pictures[place]
            try:
                content = self._content(picture)
                filled = self.fill(picture, content)
            except Unusable as error:
                bad.append(BadRow(error.file or picture.name or self.folder.name, error.line, error.reason))
            except ValueError as error:
                bad.append(BadRow(picture.name or self.folder.name, 1, str(error)))
            else:
                files.append(picture.name or "")
                rows.append({SPLIT: picture.split, **filled.columns, IMAGE: content})
                left_out.update(filled.left_out)
                size += len(content)
            if len(rows) >= MEDIA_ROWS or size >= BATCH_CHARACTERS or len(bad) >= MEDIA_ROWS:
                yield batch(place + 1)
                bad, files, rows, left_out, size = [], [], [], Counter(), 0
        if rows or bad:
            yield batch(len(self.pictures))

    def _content(self, picture: Picture) -> bytes:
        if picture.name is None:
            assert isinstance(picture.said, Unusable)
            raise picture.said
        path = self.folder / picture.name
        try:
            size = path.stat().st_size
            if size > MOST_BYTES:
                raise Unusable(f"a file of {size / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:,.0f} MB are read")
            return path.read_bytes()
        except OSError as error:
            raise Unusable(f"cannot be read: {error.strerror}") from error
