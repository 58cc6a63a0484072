"""CSV and TSV: every value is text, exactly as it was written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.stages.ingest.batch import BATCH_CHARACTERS, BATCH_ROWS, BadRow, RawBatch, Source
from modelyard.stages.ingest.config import IngestConfig
from modelyard.stages.ingest.csv_records import DELIMITERS, find_delimiter, read_records
from modelyard.stages.ingest.encoding import find_encoding
from modelyard.stages.ingest.lines import line_ending, read_lines

SAMPLE_LINES = 200


def open_delimited(path: Path, config: IngestConfig, delimiter: str | None) -> Source:
    """Raises BadInput for an encoding that does not fit, an empty file, or a header that cannot be used."""
    codec = find_encoding(path, config.encoding)
    ending = line_ending(path, codec)
    if delimiter is None:
        lines = (line for line in read_lines(path, codec, config.max_row_characters, ending) if line is not None)
        delimiter = find_delimiter(list(islice(lines, SAMPLE_LINES)))
    lines_again = read_lines(path, codec, config.max_row_characters, ending)
    records = read_records(lines_again, delimiter, config.max_row_characters)
    start, first = next(records, (1, None))
    if first is None:
        raise BadInput(f"{path.name} is empty", where=str(path), next="give a file with a header and rows")
    if isinstance(first, str):
        raise BadInput(f"the first row of {path.name} cannot be read: {first}", where=f"{path}, line {start}")
    if len(first) > config.max_columns:
        raise BadInput(
            f"{path.name} has {len(first):,} columns, at most {config.max_columns:,} are read",
            where=f"{path}, line {start}",
            next="is the delimiter right (ingest.delimiter)? else raise ingest.max_columns",
        )
    if config.header:
        names = header_names(first, path, start)
    else:
        names = [f"column_{number}" for number in range(1, len(first) + 1)]
        records = _first_again(start, first, records)
    details = {"format": "tsv" if delimiter == "\t" else "csv", **shown_encoding(codec)}
    details["delimiter"] = DELIMITERS.get(delimiter, delimiter)
    return Source(details, _batches(path.name, names, records))


def shown_encoding(codec: str) -> dict[str, object]:
    """The encoding as the report names it: the mark is a detail, not another encoding."""
    return {"encoding": codec.removesuffix("-sig"), "byte_order_mark": codec in ("utf-8-sig", "utf-16")}


def header_names(fields: Sequence[str], path: Path, line: int) -> list[str]:
    """Names without surrounding blanks, `column_N` where there is none. Raises BadInput for one given twice."""
    names = [name.strip() or f"column_{number}" for number, name in enumerate(fields, start=1)]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        places = ", ".join(str(number) for number, name in enumerate(names, start=1) if name == twice[0])
        raise BadInput(
            f"two columns of {path.name} are called {twice[0]}",
            where=f"{path}, line {line}, columns {places}",
            next="rename one of them in the header (or set ingest.header to false if the file has none)",
        )
    return names


def _first_again(
    start: int, first: list[str], records: Iterator[tuple[int, list[str] | str]]
) -> Iterator[tuple[int, list[str] | str]]:
    yield start, first
    yield from records


def _batches(file: str, names: list[str], records: Iterator[tuple[int, list[str] | str]]) -> Iterator[RawBatch]:
    rows: list[list[str]] = []
    lines: list[int] = []
    bad: list[BadRow] = []
    size = 0

    def batch() -> RawBatch:
        columns = zip(*rows, strict=True) if rows else ([] for _ in names)
        return RawBatch(file, lines, dict(zip(names, columns, strict=True)), bad)

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
