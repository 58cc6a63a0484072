"""Work files: a CSV file for a person and a batch, which a spreadsheet opens; written once, then theirs."""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from collections.abc import Mapping
from hashlib import blake2b
from pathlib import Path

from modelyard.annotate.board import Board, Work
from modelyard.annotate.guideline import Guideline, page
from modelyard.annotate.present import OWN_COLUMNS, Present
from modelyard.fields import Field
from modelyard.store.atomic import write_bytes

MARK = b"\xef\xbb\xbf"  # by which a spreadsheet knows UTF-8


def file_of(folder: Path, work: Work) -> Path:
    """Each person's files lie in a folder of their own, which can be sent as it is."""
    return folder / work.annotator / f"{work.name}.csv"


def guideline_file(version: int) -> str:
    return f"guideline-v{version}.md"


def write_missing(
    folder: Path, board: Board, present: Present, guideline: Guideline, kinds: Mapping[str, Field]
) -> list[Path]:
    """The files of works of the present rounds that are not there, with the pictures that they name and the guideline;
    one that is there is never touched. Of a file that was lost the answers that were taken stand in it again."""
    rounds = board.rounds()
    missing: dict[Path, tuple[Work, list[str]]] = {}
    folders: dict[str, set[Path]] = defaultdict(set)
    for work in board.works.values():
        path = file_of(folder, work)
        items = [item for item in board.tasks[work.name] if item in present.cells]
        if work.round == rounds[work.batch] and items and not path.exists():
            missing[path] = work, items
            for item in items:
                folders[item].add(path.parent)
    for item, name, content in present.files(folders, kinds) if missing else ():
        for place in sorted(folders[item]):
            if not (place / name).exists():
                write_bytes(place / name, content)
    for path, (work, items) in missing.items():
        beside = path.parent / guideline_file(work.version)
        if work.version == board.version and not beside.exists():
            write_bytes(beside, page(guideline, work.version).encode())
        write_bytes(path, table(work, sorted(items, key=lambda item: _place(work, item)), board, present))
    return list(missing)


def _place(work: Work, item: str) -> bytes:
    """An order of each person's own, in which gold items are nowhere in particular."""
    return blake2b(f"{work.annotator} {item}".encode(), digest_size=8).digest()


def table(work: Work, items: list[str], board: Board, present: Present) -> bytes:
    """The file: id, what is to be looked at, `label` and `comment` to fill in, then what tells which file it is."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    first, *others = OWN_COLUMNS
    writer.writerow([first, *work.columns, *others])
    for item in items:
        label = board.votes.get((work.name, item), "")
        writer.writerow([item, *present.cells[item], label, "", work.name, guideline_file(work.version)])
    return MARK + text.getvalue().encode()
