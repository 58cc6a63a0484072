"""CSV and TSV: every value is text, exactly as it was written."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.stages.ingest.batch import BATCH_CHARACTERS, BATCH_ROWS, BadRow, Position, RawBatch, Source
from modelyard.stages.ingest.config import IngestConfig
from modelyard.stages.ingest.csv_records import DELIMITERS, Records, find_delimiter, read_records
from modelyard.stages.ingest.encoding import find_encoding
from modelyard.stages.ingest.header import SEPARATOR_LINE, has_header, header_names, row_width
from modelyard.stages.ingest.lines import LineOffsets, line_ending, read_lines

SAMPLE_LINES = 200


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

    def read_from(start: Position) -> Iterator[RawBatch]:
        lines = _lines(path, codec, ending, config, start.offset)
        behind = read_records(lines, delimiter, config.max_row_characters, width, start.line)
        return _batches(path.name, names, behind, LineOffsets(path, codec, ending, start))

    batches = _batches(path.name, names, read, LineOffsets(path, codec, ending, None))
    return Source(details, batches, read_from, notes=notes)


def _lines(path: Path, codec: str, ending: str, config: IngestConfig, offset: int = 0) -> Iterator[str | None]:
    return read_lines(path, codec, config.max_row_characters, ending, offset)


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


def _batches(file: str, names: list[str], records: Records, offsets: LineOffsets) -> Iterator[RawBatch]:
    rows: list[list[str]] = []
    lines: list[int] = []
    bad: list[BadRow] = []
    size = 0

    def batch() -> RawBatch:
        columns = zip(*rows, strict=True) if rows else ([] for _ in names)
        after = offsets.at(records.next_line)
        return RawBatch(file, lines, dict(zip(names, columns, strict=True)), bad, after)

    for line, record in records:
        if isinstance(record, str):
            bad.append(BadRow(file, line, record))
            continue
        rows.append(record)
        lines.append(line)
        size += sum(map(len, record))
        if len(rows) >= BATCH_ROWS or size >= BATCH_CHARACTERS:
            yield batch()
            rows, lines, bad, size = [], [], [], 0
    if rows or bad:
        yield batch()
