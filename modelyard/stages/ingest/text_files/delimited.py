"""CSV and TSV: every value is text, exactly as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.stages.ingest.batch import (
    BATCH_BAD_ROWS,
    BATCH_CHARACTERS,
    BATCH_ROWS,
    BadRow,
    Position,
    RawBatch,
    Source,
    strings_or_values,
)
from modelyard.stages.ingest.config import IngestConfig
from modelyard.stages.ingest.text_files.csv_records import DELIMITERS, Records, find_delimiter, read_records
from modelyard.stages.ingest.text_files.encoding import find_encoding
from modelyard.stages.ingest.text_files.header import SEPARATOR_LINE, has_header, header_names, row_width
from modelyard.stages.ingest.text_files.lines import LineOffsets, line_ending, read_lines
from modelyard.stages.ingest.text_files.plain_records import PlainRecords, read_plain
from modelyard.stages.ingest.text_files.windows import read_window

SAMPLE_LINES = 200
# Bytes that are read into columns at once: enough to make little of what a batch costs, few enough to stay in a cache.
WINDOW = 2 << 20
# Bytes that are looked at before: of a file with many records that are not plain no more is looked at in vain.
GLANCE = 64 << 10
# Rows that are read one by one where a record is not plain, before whole columns are tried again.
CAREFUL_ROWS = 1024


def open_delimited(path: Path, config: IngestConfig, delimiter: str | None) -> Source:
    """Raises BadInput for an encoding that does not fit, an empty file, or a header that cannot be used."""
    codec = find_encoding(path, config.encoding)
    ending = line_ending(path, codec)
    sample = [line for line in islice(_lines(path, codec, ending, config), SAMPLE_LINES) if line is not None]
    told = SEPARATOR_LINE.match(sample[0]) if sample else None
    skipped = 1 if told else 0
    delimiter = delimiter or (told["delimiter"] if told else find_delimiter(sample))

    def records(width: int | None = None) -> Records:
        lines = islice(_lines(path, codec, ending, config), skipped, None)
        return read_records(lines, delimiter, config.max_row_characters, width, skipped + 1)

    start, first = _first(records(), path, config)
    rows = [fields for _, fields in read_records(iter(sample[skipped:]), delimiter, 1 << 30) if fields != first]
    whole = [fields for fields in rows if isinstance(fields, list)]
    width = row_width(first, whole)
    header = has_header(first, whole) if config.header is None else config.header
    read, notes = records(width), []
    if header:
        names = header_names(first[:width], path, start)
        next(read)
    else:
        names = [f"column_{number}" for number in range(1, width + 1)]
        if config.header is None:
            shown = ", ".join(names[:4]) + (", ..." if width > 4 else "")
            notes.append(
                f"the first row of {path.name} looks like data, not like a header: the columns are called {shown}   "
                f"(change: ingest.header)"
            )
    details = {"format": "tsv" if delimiter == "\t" else "csv", **shown_encoding(codec)}
    details.update(delimiter=DELIMITERS.get(delimiter, delimiter), header=header)

    table = _Table(path, codec, ending, delimiter, names, config.max_row_characters)
    return Source(details, table.batches(read.next_line), table.batches_from, notes=notes)


def _lines(path: Path, codec: str, ending: str, config: IngestConfig) -> Iterator[str | None]:
    return read_lines(path, codec, config.max_row_characters, ending)


def _first(records: Iterator[tuple[int, list[str] | str]], path: Path, config: IngestConfig) -> tuple[int, list[str]]:
    """The first row and its line. Raises BadInput when there is none, or it cannot be what it should be."""
    start, first = next(records, (1, None))
    if first is None:
        raise BadInput(f"{path.name} is empty", where=str(path), next="give a file with a header and rows")
    if isinstance(first, str):
        raise BadInput(
            f"the first row of {path.name} cannot be read: {first}",
            where=f"{path}, line {start}",
            next="repair this row; or say what was guessed wrong: ingest.delimiter, ingest.encoding",
        )
    if len(first) > config.max_columns:
        raise BadInput(
            f"{path.name} has {len(first):,} columns, at most {config.max_columns:,} are read",
            where=f"{path}, line {start}",
            next="is the delimiter right (ingest.delimiter)? else raise ingest.max_columns",
        )
    return start, first


def shown_encoding(codec: str) -> dict[str, object]:
    """The encoding as the report names it: the mark is a detail, not another encoding."""
    return {"encoding": codec.removesuffix("-sig"), "byte_order_mark": codec in ("utf-8-sig", "utf-16", "utf-32")}


@dataclass(frozen=True)
class _Table:
    """A delimited file that is found out: how to read its rows. limit: the most characters of one."""

    path: Path
    codec: str
    ending: str
    delimiter: str
    names: list[str]
    limit: int

    def batches(self, first_line: int) -> Iterator[RawBatch]:
        """All rows. first_line: that of the first one, behind the header."""
        start = self._offsets().at(first_line)
        if start is not None:
            return self.batches_from(start)
        lines = islice(read_lines(self.path, self.codec, self.limit, self.ending), first_line - 1, None)
        return self._records(lines, self._offsets(), first_line, BATCH_ROWS)

    def batches_from(self, start: Position) -> Iterator[RawBatch]:
        """The rows behind a place: whole columns at once where the records are plain, one by one where they are not.

        What is in a batch depends on where it begins and on nothing before it.
        """
        while True:
            for batch in self._plain(start):
                yield batch
                start = _behind(batch)
            careful = next(self._careful(start), None)
            if careful is None:
                return
            yield careful
            start = _behind(careful)

    def _plain(self, start: Position) -> Iterator[RawBatch]:
        """Batches of plain records up to the first that is not, if they are enough to be worth it: of as many rows as
        a batch may have, or of all that are looked at."""
        if self.ending != "\n" or not self.delimiter.isascii():
            return
        while True:
            found = self._look(start, GLANCE)
            if not found.stopped:
                found = self._look(start, WINDOW)
            rows, window, offsets = len(found.lines), start, self._offsets(start)
            if not rows or (found.stopped and rows < CAREFUL_ROWS // 4):
                return
            for begin in range(0, rows, BATCH_ROWS):
                if begin and begin + BATCH_ROWS > rows:
                    break
                size, line = found.behind(begin + BATCH_ROWS)
                place = Position(self.path.name, window.offset + size, window.line + line)
                # In other encodings the bytes of the text are not those of the file.
                after = place if self.codec == "utf-8" else offsets.at(place.line)
                batch = self._batch(found, begin, begin + BATCH_ROWS, window.line, after)
                yield batch
                start = _behind(batch)

    def _look(self, start: Position, size: int) -> PlainRecords:
        text = read_window(self.path, self.codec, start.offset, size)
        return read_plain(text, self.delimiter.encode(), len(self.names), self.limit)

    def _batch(self, found: PlainRecords, begin: int, end: int, first_line: int, after: Position | None) -> RawBatch:
        columns = {name: column[begin:end] for name, column in zip(self.names, found.columns, strict=True)}
        lines = (found.lines[begin:end] + first_line).tolist()
        wrong = [
            BadRow(self.path.name, line + first_line, f"{fields} fields, {len(self.names)} expected")
            for line, fields in found.wrong_between(begin, end)
        ]
        return RawBatch(self.path.name, lines, columns, wrong, after)

    def _careful(self, start: Position) -> Iterator[RawBatch]:
        lines = read_lines(self.path, self.codec, self.limit, self.ending, start.offset)
        return self._records(lines, self._offsets(start), start.line, min(BATCH_ROWS, CAREFUL_ROWS))

    def _offsets(self, start: Position | None = None) -> LineOffsets:
        return LineOffsets(self.path, self.codec, self.ending, start)

    def _records(
        self, lines: Iterator[str | None], offsets: LineOffsets, first_line: int, most: int
    ) -> Iterator[RawBatch]:
        """One record after the other, at most so many rows a batch."""
        file, names = self.path.name, self.names
        records = read_records(lines, self.delimiter, self.limit, len(names), first_line)
        rows: list[list[str]] = []
        starts: list[int] = []
        bad: list[BadRow] = []
        size = 0

        def batch() -> RawBatch:
            columns = zip(*rows, strict=True) if rows else ([] for _ in names)
            named = {name: strings_or_values(column) for name, column in zip(names, columns, strict=True)}
            return RawBatch(file, starts, named, bad, offsets.at(records.next_line))

        for line, record in records:
            if isinstance(record, str):
                bad.append(BadRow(file, line, record))
            else:
                rows.append(record)
                starts.append(line)
                size += sum(map(len, record))
            if len(rows) >= most or size >= BATCH_CHARACTERS or len(bad) >= BATCH_BAD_ROWS:
                yield batch()
                rows, starts, bad, size = [], [], [], 0
        if rows or bad:
            yield batch()


def _behind(batch: RawBatch) -> Position:
    """Where a batch ends, of a file in which that can be told."""
    assert batch.after is not None
    return batch.after
