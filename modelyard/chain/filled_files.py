"""Files that people filled in, in whatever form their spreadsheet saved them: read by the reader of ingest."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from modelyard.annotate.taking import NEEDED, FilledFile
from modelyard.errors import BadInput
from modelyard.stages.ingest import IngestConfig
from modelyard.stages.ingest.text_files.delimited import open_delimited
from modelyard.store.digests import digest_file

LONGEST_ROW = 8 << 20  # characters: that of the longest row that ingest reads, with every quote in it doubled, and more
WORKBOOK = b"PK\x03\x04"


def read_filled(path: Path, needed: Sequence[str] = NEEDED) -> FilledFile:
    """UTF-8 (with its mark or without), UTF-16, GB18030; commas, semicolons, tabs.

    Raises BadInput for what is none, and for a file without the columns that are needed, before it is read whole.
    """
    if not path.is_file():
        raise BadInput(f"{path} does not exist", where=str(path), next="check the path")
    with path.open("rb") as file:
        if file.read(len(WORKBOOK)) == WORKBOOK:
            raise BadInput(f"{path.name} is a workbook", where=str(path), next="save it as `CSV UTF-8`")
    source = open_delimited(path, IngestConfig(header=True, max_row_characters=LONGEST_ROW), None)
    rows: list[tuple[int, dict[str, str]]] = []
    bad: list[tuple[int, str]] = []
    for batch in source.batches:
        values = batch.values()
        missing = [name for name in needed if name not in values]
        if missing:
            raise BadInput(
                f"{path.name} has no column {missing[0]}; its columns are {', '.join(values)}",
                where=str(path),
                next=f"keep the columns {', '.join(needed)} as they were",
            )
        cells = zip(*values.values(), strict=True)
        rows += [(line, dict(zip(values, row, strict=True))) for line, row in zip(batch.lines, cells, strict=True)]
        bad += [(row.line, row.reason) for row in batch.bad]
    if not rows and not bad:
        raise BadInput(f"{path.name} has no rows", where=str(path), next="give a file with rows below the header")
    return FilledFile(path.name, digest_file(path), rows, bad)
