"""A folder of pictures as `datasets` reads one (imagefolder): a metadata file says what each is, or its folder."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from posixpath import basename, dirname
from typing import Any

from modelyard.errors import BadInput
from modelyard.stages.ingest.batch import BadRow, Source
from modelyard.stages.ingest.config import IngestConfig
from modelyard.stages.ingest.picture_folders.picture_files import (
    files_under,
    inside,
    is_picture,
    sides_of_folders,
    unread_pictures,
)
from modelyard.stages.ingest.picture_folders.pictures import IMAGE, Filled, Picture, PictureRows
from modelyard.stages.ingest.text_files.delimited import open_delimited
from modelyard.stages.ingest.text_files.jsonl import open_jsonl
from modelyard.store.dataset import SPLIT

METADATA = ("metadata.csv", "metadata.jsonl")
FILE_NAMES = ("file_name", "filename", "file", IMAGE, "path")
LABEL = "label"


def open_image_folder(folder: Path, config: IngestConfig) -> Source:
    """Columns `image`, and those of the metadata, or `label` where the pictures lie in folders called after classes.

    Folders called after a side (train, test) are sides; a picture of such a name is a picture.
    Raises BadInput for metadata that cannot be read or name no file.
    """
    files = files_under(folder)
    pictures = [name for name in files if is_picture(name)]
    notes = unread_pictures(files)
    sides = sides_of_folders(pictures)
    listings = [name for name in files if basename(name) in METADATA]
    details: dict[str, Any] = {"format": "imagefolder"}
    if not listings:
        rows = _of_classes(folder, pictures, sides)
        return rows.source(details, notes)
    told = _Told()
    for name in listings:
        _add(told, folder, name, set(pictures), sides, config)
    unnamed = len(set(pictures) - {row.name for row in told.rows})
    if unnamed:
        notes.append(f"{unnamed:,} pictures that {', '.join(listings)} does not name are left out")
    rows = PictureRows(folder, told.rows, list(told.columns), _fill, told.bad)
    return rows.source({**details, "metadata": listings}, notes)


def _of_classes(folder: Path, pictures: list[str], sides: dict[str, str]) -> PictureRows:
    """Each picture's class is the name of the folder that it lies in; without such folders there are no classes."""
    rows = []
    for name in pictures:
        first, _, rest = name.partition("/")
        side = sides.get(first)
        place = dirname(rest if side else name)
        rows.append(Picture(name, {LABEL: basename(place) or None}, side))
    classes = any(row.said[LABEL] for row in rows)
    return PictureRows(folder, rows, [LABEL] if classes else [], _fill)


@dataclass
class _Told:
    """What the metadata files say. columns: in the order in which they come."""

    rows: list[Picture] = field(default_factory=list)
    bad: list[BadRow] = field(default_factory=list)
    columns: dict[str, None] = field(default_factory=dict)


def _add(told: _Told, folder: Path, name: str, there: set[str], sides: dict[str, str], config: IngestConfig) -> None:
    """The rows of one metadata file, whose names are seen from where it lies."""
    path, place = folder / name, dirname(name)
    source = open_jsonl(path, config) if name.endswith(".jsonl") else open_delimited(path, config, config.delimiter)
    side = sides.get(name.partition("/")[0]) if "/" in name else None
    for batch in source.batches:
        told.bad += [BadRow(name, bad.line, bad.reason) for bad in batch.bad]
        columns = batch.values()
        key = next((each for each in FILE_NAMES if each in columns), None)
        if key is None:
            raise BadInput(
                f"{name} has no column {FILE_NAMES[0]}; its columns are {', '.join(columns)}",
                where=str(path),
                next=f"name the picture of each row in a column {FILE_NAMES[0]}",
            )
        others = [each for each in columns if each not in (key, SPLIT)]
        told.columns.update(dict.fromkeys(others))
        for row, (line, given) in enumerate(zip(batch.lines, columns[key], strict=True)):
            try:
                picture = inside(f"{place}/{given}".lstrip("/")) if isinstance(given, str) and given else None
                if picture not in there:
                    raise ValueError(f"{given!r} is not there")
            except ValueError as error:
                told.bad.append(BadRow(name, line, f"the picture {error}"))
                continue
            said = {each: columns[each][row] for each in others}
            own = columns[SPLIT][row] if SPLIT in columns else None
            told.rows.append(Picture(picture, said, side or own or sides.get(str(picture).partition("/")[0])))


def _fill(picture: Picture, content: bytes) -> Filled:
    return Filled(picture.said)
