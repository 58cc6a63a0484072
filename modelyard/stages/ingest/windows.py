"""A stretch of a text file as UTF-8, for readers that look at many rows at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modelyard.stages.ingest.encoding import is_whole_utf_8
from modelyard.stages.ingest.lines import changed, character_unit, unmarked

BYTE_ORDER_MARK = "\ufeff".encode()


def read_window(path: Path, codec: str, offset: int, size: int) -> bytes:
    """The whole lines among the next `size` bytes, or all that is left where these reach the end of the file.

    Empty when no line ends there. For encodings with a `character_unit`; `offset` is the start of a line.
    """
    bare = unmarked(path, codec)
    with path.open("rb") as file:
        file.seek(offset)
        found = file.read(size + 1)
    if len(found) > size:
        found = found[: _whole_lines(found[:size], bare)]
    text = _as_utf_8(found, bare, path)
    return text.removeprefix(BYTE_ORDER_MARK) if offset == 0 and bare != codec else text


def _as_utf_8(found: bytes, codec: str, path: Path) -> bytes:
    """Raises BadInput for what does not decode: all of the file did when its encoding was found."""
    try:
        if codec != "utf-8":
            return found.decode(codec).encode()
    except UnicodeDecodeError:
        pass
    else:
        if is_whole_utf_8(found):
            return found
    raise changed(path)


def _whole_lines(found: bytes, codec: str) -> int:
    """The bytes up to the last line feed, that one included."""
    unit = character_unit(codec)
    assert unit is not None
    if unit.itemsize == 1:
        return found.rfind(b"\n") + 1
    units = np.frombuffer(found[: len(found) // unit.itemsize * unit.itemsize], dtype=unit)
    ends = np.flatnonzero(units == ord("\n"))
    return (int(ends[-1]) + 1) * unit.itemsize if len(ends) else 0
