"""YOLO: data.yaml (or classes.txt), pictures, and a text file of boxes for each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from posixpath import basename, splitext
from typing import Any

import yaml

from modelyard.errors import BadInput
from modelyard.fields.codecs.yolo import boxes_of, read_line
from modelyard.fields.label import Label
from modelyard.media.pixels import read_header
from modelyard.stages.ingest.batch import Source
from modelyard.stages.ingest.config import IngestConfig
from modelyard.stages.ingest.picture_folders.coco import BOXES
from modelyard.stages.ingest.picture_folders.picture_files import files_under, is_picture, unread_pictures
from modelyard.stages.ingest.picture_folders.pictures import Filled, Picture, PictureRows, Unusable
from modelyard.stages.ingest.sides import SIDES
from modelyard.stages.ingest.text_files.encoding import read_text

CLASSES = "classes.txt"
NO_AREA = "boxes without area"
_NAMES = re.compile(r"^[\"']?names[\"']?\s*:", re.MULTILINE)


def yolo_file(folder: Path) -> Path | None:
    """The file that names the classes: a YAML file with `names`, else classes.txt beside labels/."""
    for path in sorted([*folder.glob("*.yaml"), *folder.glob("*.yml")]):
        if path.is_file() and _NAMES.search(path.read_text("utf-8", "replace")):
            return path
    classes = folder / CLASSES
    return classes if classes.is_file() and (folder / "labels").is_dir() else None


def open_yolo(folder: Path, config: IngestConfig) -> Source:
    """Columns `image` and `boxes`. Raises BadInput where classes or boxes are not named, or in no known encoding."""
    described = yolo_file(folder)
    if described is None:
        raise BadInput(
            f"{folder.name} has no data.yaml that names the classes",
            where=str(folder),
            next="write one: `names: [cat, dog]`, `train: images/train`, `val: images/val`",
        )
    files = files_under(folder)
    notes = unread_pictures(files)
    told = read_text(described, config.encoding)
    content = {"names": told.splitlines()} if described.name == CLASSES else _read_yaml(described, told)
    names = _class_names(described, content.get("names"))
    sides = _sides(folder, files, content, config.encoding)
    pictures, texts = [name for name in files if is_picture(name)], {name for name in files if name.endswith(".txt")}
    if sides:
        outside = len(pictures) - len(sides)
        if outside:
            notes.append(f"{outside:,} pictures lie in no folder that {described.name} names, and are left out")
        pictures = [name for name in pictures if name in sides]
    labels = {name: next((place for place in _label_places(name) if place in texts), None) for name in pictures}
    without = sum(place is None for place in labels.values())
    if without == len(pictures):
        raise BadInput(
            f"none of the {len(pictures):,} pictures has a text file of boxes",
            where=str(folder),
            next="the boxes of images/a.jpg are read from labels/a.txt",
        )
    if without:
        notes.append(f"{without:,} of {len(pictures):,} pictures have no text file: nothing is on them")
    rows = [Picture(name, labels[name], sides.get(name)) for name in pictures]
    fill = partial(_fill, folder=folder, names=names)
    details = {"format": "yolo", "classes": described.name}
    return PictureRows(folder, rows, [BOXES], fill).source(details, notes)


def _read_yaml(path: Path, text: str) -> Mapping[str, Any]:
    """Every scalar as the text that it is: a class may be called yes, no or 007."""
    try:
        value = yaml.BaseLoader(text).get_single_data()
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise BadInput(
            f"{path.name} is not YAML: {str(error)[:200]}",
            where=str(path),
            next="repair it; it needs `names: [cat, dog]`, `train: images/train`, `val: images/val`",
        ) from error
    if not isinstance(value, Mapping):
        raise BadInput(f"{path.name} holds no keys", where=str(path), next="it needs `names`, and `train` or `val`")
    return value


def _class_names(path: Path, given: Any) -> dict[int, str]:
    """Class number -> name: by the numbers that a mapping gives, by the place in a list."""
    try:
        if isinstance(given, Mapping):
            pairs = [(int(number), Label().read(name)) for number, name in given.items()]
        elif isinstance(given, Sequence) and not isinstance(given, str):
            pairs = [(number, Label().read(name)) for number, name in enumerate(given)]
        else:
            raise ValueError("neither a list nor a mapping")
        if not pairs or not all(name for _, name in pairs):
            raise ValueError("a class without a name")
        return {number: str(name) for number, name in pairs}
    except ValueError as error:
        raise BadInput(
            f"the class names in {path.name} cannot be used: {error}",
            where=str(path),
            next="write them as `names: [cat, dog]` or `names: {0: cat, 1: dog}`",
        ) from error


def _sides(folder: Path, files: Sequence[str], content: Mapping[str, Any], encoding: str | None) -> dict[str, str]:
    """Picture -> side, by the folders or lists that data.yaml names; of a picture on two sides the first counts."""
    found: dict[str, str] = {}
    pictures = [name for name in files if is_picture(name)]
    for key, side in SIDES.items():
        entries = content.get(key) or []
        for entry in [entries] if isinstance(entries, str) else entries:
            for name in _named(folder, str(entry), files, pictures, encoding):
                found.setdefault(name, side)
    return found


def _named(
    folder: Path, entry: str, files: Sequence[str], pictures: Sequence[str], encoding: str | None
) -> Iterator[str]:
    """The pictures of an entry: a folder, or a text file that lists them.

    Such paths come from another machine: the longest end of one that is there is what is meant.
    """
    listing = _end_of(entry, set(files)) if entry.endswith(".txt") else None
    if listing is not None:
        there = set(pictures)
        for line in read_text(folder / listing, encoding).splitlines():
            name = _end_of(line.strip(), there)
            if name is not None:
                yield name
        return
    folders = {name[:place] for name in pictures for place in _slashes(name)}
    found = _end_of(entry, folders)
    if found is not None:
        yield from (name for name in pictures if name.startswith(f"{found}/"))


def _slashes(name: str) -> Iterator[int]:
    return (place for place, letter in enumerate(name) if letter == "/")


def _end_of(path: str, there: set[str]) -> str | None:
    parts = [part for part in path.replace("\\", "/").split("/") if part not in ("", ".", "..")]
    return next((end for place in range(len(parts)) if (end := "/".join(parts[place:])) in there), None)


def _label_places(picture: str) -> Iterator[str]:
    """images/train/a.jpg -> labels/train/a.txt; beside the picture where no folder is called images."""
    *folders, name = splitext(picture)[0].split("/")
    if "images" in folders:
        last = len(folders) - 1 - folders[::-1].index("images")
        yield "/".join([*folders[:last], "labels", *folders[last + 1 :], f"{name}.txt"])
    else:
        yield "/".join(["labels", *folders, f"{name}.txt"])
    yield "/".join([*folders, f"{name}.txt"])


def _fill(picture: Picture, content: bytes, *, folder: Path, names: Mapping[int, str]) -> Filled:
    header = read_header(content)
    found = []
    text = (folder / picture.said).read_text("utf-8-sig", "replace") if picture.said else ""
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append(read_line(line, names))
            except ValueError as error:
                raise Unusable(f"{basename(picture.name or '')}: {error}", picture.said, number) from None
    boxes, left_out = boxes_of(found, header.width, header.height)
    return Filled({BOXES: boxes}, {NO_AREA: left_out} if left_out else {})
