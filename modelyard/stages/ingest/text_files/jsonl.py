r"""JSON Lines: one object a line, lines end at `\n` only (U+2028 inside a string is content)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from modelyard.errors import BadInput
from modelyard.fields.text import whole_characters
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
from modelyard.stages.ingest.text_files.delimited import shown_encoding
from modelyard.stages.ingest.text_files.encoding import find_encoding
from modelyard.stages.ingest.text_files.lines import LineOffsets, read_lines

# Fractions stay as they were written (1.10 is not 1.1); NaN and Infinity are not JSON and count as missing.
_DECODER = json.JSONDecoder(parse_float=str, parse_constant=lambda name: None)


def open_jsonl(path: Path, config: IngestConfig) -> Source:
    """Raises BadInput for an encoding that does not fit, and for one JSON array instead of lines."""
    codec = find_encoding(path, config.encoding)
    with path.open("r", encoding=codec) as file:
        if file.read(4096).lstrip()[:1] == "[":
            raise BadInput(
                f"{path.name} is one JSON array, not JSON Lines",
                where=f"{path}, line 1",
                next=f"write one object a line: jq -c '.[]' {path.name} > {path.stem}.jsonl",
            )

    def read_from(start: Position | None) -> Iterator[RawBatch]:
        return _batches(path, codec, config, start)

    return Source({"format": "jsonl", **shown_encoding(codec)}, read_from(None), read_from)


def parse_line(line: str) -> dict[str, Any]:
    """The object of one line. Raises ValueError with what is wrong."""
    try:
        value = _DECODER.decode(line)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at character {error.pos + 1}") from None
    except RecursionError:
        raise ValueError("not JSON that can be read: nested too deeply") from None
    if not isinstance(value, dict):
        raise ValueError(f"a JSON {type(value).__name__}, not an object")
    return value


def _batches(path: Path, codec: str, config: IngestConfig, start: Position | None) -> Iterator[RawBatch]:
    offset, number = (start.offset, start.line - 1) if start else (0, 0)
    offsets = LineOffsets(path, codec, "\n", start)
    rows: list[dict[str, Any]] = []
    lines: list[int] = []
    bad: list[BadRow] = []
    size = 0
    names: dict[str, None] = {}

    def batch() -> RawBatch:
        columns = {name: strings_or_values([row.get(name) for row in rows]) for name in names}
        return RawBatch(path.name, lines, columns, bad, offsets.at(number + 1))

    for line in read_lines(path, codec, config.max_row_characters, offset=offset):
        number += 1
        if line is None:
            bad.append(BadRow(path.name, number, f"longer than {config.max_row_characters:,} characters"))
            continue
        if line.isspace() and not line.strip(" \t\r\n"):
            continue
        try:
            row = parse_line(line)
            new = [name for name in row if name not in names]
            for name in new:
                whole_characters(name)
        except ValueError as error:
            bad.append(BadRow(path.name, number, str(error)))
        else:
            names.update(dict.fromkeys(new))
            rows.append(row)
            lines.append(number)
            size += len(line)
        if len(names) > config.max_columns:
            raise BadInput(
                f"{path.name} has more than {config.max_columns:,} keys",
                where=f"{path}, line {number}",
                next="put values that vary under one key, or raise ingest.max_columns",
            )
        if len(rows) >= BATCH_ROWS or size >= BATCH_CHARACTERS or len(bad) >= BATCH_BAD_ROWS:
            yield batch()
            rows, lines, bad, size = [], [], [], 0
    if rows or bad:
        yield batch()
