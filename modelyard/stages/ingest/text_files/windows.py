"""A stretch of a text file as UTF-8, for readers that look at many rows at once."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from modelyard.stages.ingest.text_files.encoding import is_whole_utf_8
from modelyard.stages.ingest.text_files.lines import changed, character_unit, unmarked

BYTE_ORDER_MARK = "\ufeff".encode()


def read_window(path: Path, codec: str, offset: int, size: int) -> memoryview:
    """The whole lines among the next `size` bytes, or all that is left where these reach the end of the file.

    Empty when no line ends there. For encodings with a `character_unit`; `offset` is the start of a line.
    """
    bare = unmarked(path, codec)
    with path.open("rb") as file:
        file.seek(offset)
        found = file.read(size + 1)
    whole = memoryview(found)[: len(found) if len(found) <= size else _whole_lines(found, size, bare)]
    text = _as_utf_8(whole, bare, path)
    marked = offset == 0 and bare != codec and text[: len(BYTE_ORDER_MARK)] == BYTE_ORDER_MARK
    return text[len(BYTE_ORDER_MARK) :] if marked else text


def _as_utf_8(found: memoryview, codec: str, path: Path) -> memoryview:
    """Raises BadInput for what does not decode: all of the file did when its encoding was found."""
    try:
        if codec != "utf-8":
            return memoryview(str(found, codec).encode())
    except UnicodeDecodeError:
        pass
    else:
        if is_whole_utf_8(found):
            return found
    raise changed(path)


def _whole_lines(found: bytes, size: int, codec: str) -> int:
    """The bytes up to the last line feed among the first `size`, that one included."""
    unit = character_unit(codec)
    assert unit is not None
    if unit.itemsize == 1:
        return found.rfind(b"\n", 0, size) + 1
    ends = np.flatnonzero(np.frombuffer(found, dtype=unit, count=size // unit.itemsize) == ord("\n"))
    return (int(ends[-1]) + 1) * unit.itemsize if len(ends) else 0
