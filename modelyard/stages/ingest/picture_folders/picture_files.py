"""The files of a folder of pictures: which are pictures, which are junk, and which folders are the sides of a split."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from posixpath import normpath, splitext

from modelyard.media.pixels import ENDINGS
from modelyard.stages.ingest.sides import SIDES

# What systems leave in folders, beside names that begin with a dot (.DS_Store, ._picture.png). Lower case.
JUNK = frozenset({"thumbs.db", "desktop.ini", "__macosx"})
# Pictures that people have and that are not read here: named, not passed over.
OTHER_PICTURES = frozenset({".gif", ".heic", ".heif", ".avif", ".svg", ".psd", ".dng", ".cr2", ".nef", ".jp2", ".ico"})


def files_under(folder: Path) -> list[str]:
    """Every file but hidden ones and junk, by its path seen from the folder (`/` between names), sorted.

    Links to folders are followed, each folder once.
    """
    found: list[str] = []
    seen: set[str] = set()
    for place, folders, files in os.walk(folder, followlinks=True):
        real = os.path.realpath(place)
        if real in seen:
            folders.clear()
            continue
        seen.add(real)
        folders[:] = [name for name in folders if not _junk(name)]
        under = Path(place).relative_to(folder).as_posix()
        found += [name if under == "." else f"{under}/{name}" for name in files if not _junk(name)]
    return sorted(found)


def _junk(name: str) -> bool:
    return name.startswith(".") or name.lower() in JUNK


def is_picture(name: str) -> bool:
    return splitext(name)[1].lower() in ENDINGS


def unread_pictures(names: Iterable[str]) -> list[str]:
    """A note where there are pictures of kinds that are not read."""
    counts = Counter(ending for name in names if (ending := splitext(name)[1].lower()) in OTHER_PICTURES)
    if not counts:
        return []
    shown = ", ".join(f"{count:,} {ending}" for ending, count in counts.most_common())
    return [f"pictures of kinds that are not read are left out: {shown}   (save them as PNG or JPEG)"]


def sides_of_folders(pictures: Iterable[str]) -> dict[str, str]:
    """Folder -> side, when every picture lies under a folder that is called after one; else nothing.

    A class may be called `train` (trains), so that one folder of another name makes all of them classes.
    """
    firsts = {name.partition("/")[0] if "/" in name else "" for name in pictures}
    sides = {first: SIDES.get(first.lower()) for first in firsts}
    return {first: side for first, side in sides.items() if side} if all(sides.values()) else {}


def inside(name: str) -> str:
    """A path that another file names, as it is seen from the same folder. Raises ValueError when it leads out of it."""
    plain = normpath(name.replace("\\", "/"))
    if plain.startswith(("/", "..")) or plain[1:2] == ":":
        raise ValueError(f"{name[:100]!r} leads out of the folder")
    return plain
