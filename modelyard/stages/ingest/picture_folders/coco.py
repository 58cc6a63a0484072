"""COCO: JSON files of annotations, and the pictures that they name."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from posixpath import basename, dirname, splitext
from typing import Any

from modelyard.errors import BadInput
from modelyard.fields.codecs.coco import Coco, CocoImage, boxes_of, read_document
from modelyard.media.pixels import read_header
from modelyard.stages.ingest.batch import Source
from modelyard.stages.ingest.picture_folders.picture_files import files_under, inside, unread_pictures
from modelyard.stages.ingest.picture_folders.pictures import Filled, Picture, PictureRows, Unusable
from modelyard.stages.ingest.sides import SIDES

BOXES = "boxes"
LOOKED_AT = 1 << 20  # bytes at either end of a file, by which it is known
NO_BOX = "crowds and boxes without area"


def coco_files(folder: Path) -> list[str]:
    """Annotation files in the usual places: at the top, in annotations/, in the folder of a side. Sorted.

    Of a download of COCO itself only `instances_*`: captions and keypoints are of the same pictures.
    """
    places = [folder, *(place for place in sorted(folder.iterdir()) if place.is_dir() and _may_hold(place.name))]
    files = [
        path
        for place in places
        for path in sorted(place.glob("*.json"))
        if path.is_file() and not path.name.startswith(".")
    ]
    found = [path.relative_to(folder).as_posix() for path in files if is_coco(path)]
    instances = [name for name in found if basename(name).startswith("instances_")]
    return instances or found


def _may_hold(name: str) -> bool:
    return name.lower() == "annotations" or name.lower() in SIDES


def is_coco(path: Path) -> bool:
    """Known by the names of its lists, near the file's beginning or end: it may be large."""
    with path.open("rb") as file:
        ends = file.read(LOOKED_AT)
        if len(ends) == LOOKED_AT:
            file.seek(max(LOOKED_AT, path.stat().st_size - LOOKED_AT))
            ends += file.read()
    return all(re.search(rb'"%s"\s*:\s*\[' % key, ends) for key in (b"images", b"categories"))


def open_coco(folder: Path) -> Source:
    """Columns `image` and `boxes`. Raises BadInput for a file that is no COCO document."""
    names = coco_files(folder)
    if not names:
        raise BadInput(
            f"{folder.name} has no COCO document (a JSON file of images, annotations and categories)",
            where=str(folder),
            next="put it at the top of the folder, or in annotations/",
        )
    files = files_under(folder)
    there = set(files)
    notes = unread_pictures(files)
    sides = {name: _side(name) for name in names}
    if any(sides.values()) and not all(sides.values()):
        other = [name for name, side in sides.items() if side is None]
        notes.append(f"annotations of no known side (train, validation, test) are left out: {', '.join(other)}")
        names = [name for name in names if sides[name]]
    pictures: list[Picture] = []
    for name in names:
        document = _read(folder, name)
        if document.homeless:
            notes.append(f"{name}: {document.homeless:,} annotations are of pictures that it does not name")
        pictures += [_picture(image, name, document, there, sides[name]) for image in document.images]
    if not any(picture.name for picture in pictures):
        raise BadInput(
            f"none of the {len(pictures):,} pictures that {names[0]} names is there",
            where=str(folder),
            next="put the pictures beside it, in images/, or in a folder called as the file's last word (train2017)",
        )
    return PictureRows(folder, pictures, [BOXES], _fill).source({"format": "coco", "annotations": names}, notes)


def _read(folder: Path, name: str) -> Coco:
    try:
        return read_document(json.loads((folder / name).read_text("utf-8-sig")))
    except (ValueError, RecursionError, OSError) as error:
        raise BadInput(
            f"{name} is not a COCO document: {error}",
            where=str(folder / name),
            next="export the annotations again",
        ) from error


def _side(name: str) -> str | None:
    """Of the file's own name (instances_train2017.json), else of the folder that it lies in."""
    words = re.split(r"[^a-z]+", splitext(basename(name))[0].lower())
    found = [SIDES[word] for word in words if word in SIDES]
    return found[0] if found else SIDES.get(dirname(name).lower())


def _picture(image: CocoImage, listing: str, document: Coco, there: set[str], side: str | None) -> Picture:
    try:
        name = next((place for place in _places(image.file_name, listing) if place in there), None)
        wrong = None if name else Unusable(f"there is no picture {image.file_name[:100]!r}", listing)
    except ValueError as error:
        name, wrong = None, Unusable(f"the picture {error}", listing)
    return Picture(name, wrong or (image, document.names), side)


def _places(file_name: str, listing: str) -> Iterator[str]:
    """Where a picture of that name may lie, the likelier first."""
    plain = inside(file_name)
    last = splitext(basename(listing))[0].rpartition("_")[2]  # train2017
    beside = dirname(listing)
    for folder in (beside, f"{beside}/images", "", "images", last, f"images/{last}"):
        yield inside(f"{folder}/{plain}".lstrip("/"))


def _fill(picture: Picture, content: bytes) -> Filled:
    image, names = picture.said
    boxes, left_out = boxes_of(image, names, read_header(content))
    columns: dict[str, Any] = {BOXES: boxes}
    return Filled(columns, {NO_BOX: left_out} if left_out else {})
