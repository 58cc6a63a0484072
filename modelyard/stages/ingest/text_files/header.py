"""The head of a delimited file: whether its first row names the columns, how wide a row is, what spreadsheets add."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from modelyard.errors import BadInput
from modelyard.stages.ingest.guess import NAMES, folded_name
from modelyard.store.dataset import SPLIT

# Excel writes and reads a first line that only says the delimiter.
SEPARATOR_LINE = re.compile(r'^"?sep=(?P<delimiter>[^\r\n"])"?\r?\n?$', re.IGNORECASE)
KNOWN = {SPLIT, *(name for names in NAMES.values() for name in names)}


def has_header(first: Sequence[str], rows: Sequence[Sequence[str]]) -> bool:
    """False only when the first row must be data: no cell of it is a name that columns have, and one comes back among
    the values below it, as a class does. `0,1,2` is a header: so columns without names are written.
    """
    if any(folded_name(cell) in KNOWN for cell in first):
        return True
    if [cell.strip() for cell in first] == [str(number) for number in range(len(first))]:
        return True
    return not any(
        cell.strip() and sum(place < len(row) and row[place] == cell for row in rows) >= 2
        for place, cell in enumerate(first)
    )


def row_width(first: Sequence[str], rows: Sequence[Sequence[str]]) -> int:
    """The number of columns: that of the first row, less the empty ones at its end under which nothing stands."""
    width = len(first)
    while width > 1 and not first[width - 1].strip() and not any(any(row[width - 1 :]) for row in rows):
        width -= 1
    return width


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
