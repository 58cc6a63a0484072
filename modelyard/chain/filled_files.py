"""Files that people filled in, in whatever form their spreadsheet saved them: read by the reader of ingest."""

from __future__ import annotations

from pathlib import Path

from modelyard.annotate.taking import FilledFile
from modelyard.errors import BadInput
from modelyard.stages.ingest import IngestConfig
from modelyard.stages.ingest.text_files.delimited import open_delimited
from modelyard.store.digests import digest_file

LONGEST_ROW = 8 << 20  # characters: that of the longest row that ingest reads, with every quote in it doubled, and more
WORKBOOK = b"PK\x03\x04"


def read_filled(path: Path) -> FilledFile:
    """UTF-8 (with its mark or without), UTF-16, GB18030; commas, semicolons, tabs. Raises BadInput for what is none."""
    if not path.is_file():
        raise BadInput(f"{path} does not exist", where=str(path), next="check the path")
    with path.open("rb") as file:
        if file.read(len(WORKBOOK)) == WORKBOOK:
            raise BadInput(f"{path.name} is a workbook", where=str(path), next="save it as `CSV UTF-8`")
    source = open_delimited(path, IngestConfig(header=True, max_row_characters=LONGEST_ROW), None)
    rows: list[tuple[int, dict[str, str]]] = []
    bad: list[tuple[int, str]] = []
    columns: dict[str, None] = {}
    for batch in source.batches:
        values = batch.values()
        columns |= dict.fromkeys(values)
        cells = zip(*values.values(), strict=True)
        rows += [(line, dict(zip(values, row, strict=True))) for line, row in zip(batch.lines, cells, strict=True)]
        bad += [(row.line, row.reason) for row in batch.bad]
    return FilledFile(path.name, digest_file(path), list(columns), rows, bad)
