"""The rows of a Dataset of pictures on their way out: each under a file name of its own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from modelyard.errors import BadInput
from modelyard.media.named_boxes import Box
from modelyard.media.pixels import Header, ending_of, read_header
from modelyard.store import Dataset
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.store.dataset import ROW_ID, SPLIT, show_row_id

SOURCE_FILE = "source_file"  # where ingest found a row
SIDES = ("train", "validation", "test")


@dataclass(frozen=True)
class PictureRow:
    """name: of the file to write, unlike that of any other row of its side, whatever its ending. side: of the split,
    None where the Dataset has none."""

    name: str
    content: bytes
    header: Header
    boxes: list[Box]
    side: str | None


def classes_of(dataset: Dataset) -> tuple[str, ...]:
    """Raises BadInput where the Dataset is not one of pictures and boxes."""
    dataset.the("input", "image")
    return dataset.the("target", "boxes").classes


def picture_rows(dataset: Dataset) -> Iterator[PictureRow]:
    """Part by part. A picture keeps the path that it came with; where two rows would have one, in any case of its
    letters or with another ending, the later one has its row id in its name."""
    image, boxes = dataset.the("input", "image").name, dataset.the("target", "boxes").name
    names = [ROW_ID, image, boxes, *(name for name in (SOURCE_FILE, SPLIT) if dataset.has(name))]
    taken: set[tuple[str | None, str]] = set()
    for view in dataset.views():
        for row in view.read(names).to_pylist():
            shown = show_row_id(row[ROW_ID])
            side = (row[SPLIT] or SIDES[0]) if SPLIT in row else None
            path = PurePosixPath(plain_path(row.get(SOURCE_FILE)) or shown)
            if (side, _key(path)) in taken:
                path = path.with_name(f"{path.stem}-{shown}")
            taken.add((side, _key(path)))
            name = f"{path.parent / path.stem}{ending_of(row[image])}"
            yield PictureRow(name, row[image], read_header(row[image]), row[boxes] or [], side)


def _key(path: PurePosixPath) -> str:
    """By which two files are the same to some file system, or have one text file of labels."""
    return str(path.parent / path.stem).casefold()


def plain_path(name: str | None) -> str:
    """A path that stays below the folder on any system, its ending taken for one."""
    parts = [
        re.sub(r'[<>:"|?*\x00-\x1f]', "_", part).strip(" .") for part in (name or "").replace("\\", "/").split("/")
    ]
    return "/".join(part for part in parts if part)


@contextmanager
def whole_folder(target: Path) -> Iterator[Path]:
    """A folder to fill, which then appears whole or not at all. Raises BadInput when there is something."""
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise BadInput(f"{target} is there already", where=str(target), next="name a new or an empty directory")
    with new_directory(target.absolute().parent) as building:
        yield building
        if target.is_dir():
            target.rmdir()
        publish_directory(building, target)
