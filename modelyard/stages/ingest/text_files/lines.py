"""Lines of a text file, in bounded memory, from its start or from a place inside it."""

from __future__ import annotations

import codecs
import importlib
import io
from collections.abc import Iterator
from pathlib import Path
from typing import IO

import numpy as np

from modelyard.errors import BadInput
from modelyard.stages.ingest.batch import Position

CHUNK = 1 << 20
# Encodings of one to four bytes a character in which no byte of a longer character is that of a line feed.
_MULTIBYTE = {
    *("utf-8", "ascii", "iso8859-1", "gb18030", "gbk", "gb2312", "big5", "big5hkscs", "cp950"),
    *("shift_jis", "shift_jis_2004", "shift_jisx0213", "cp932", "cp949"),
    *("euc_jp", "euc_jis_2004", "euc_jisx0213", "euc_kr"),
}


def read_lines(path: Path, codec: str, limit: int, ending: str = "\n", offset: int = 0) -> Iterator[str | None]:
    r"""Lines from byte `offset` on that end at `ending` only (U+2028, \x85 and \f are content), their ending kept.

    None stands for a line of more than `limit` characters, which is skipped without being held.
    Raises BadInput for what does not decode: all of the file did when its encoding was found.
    """
    with open_text(path, codec, ending, offset) as file:
        try:
            while line := file.readline(limit + 1):
                if len(line) <= limit or line.endswith(ending):
                    yield line
                    continue
                while (rest := file.readline(limit)) and not rest.endswith(ending):
                    pass
                yield None
        except UnicodeDecodeError as error:
            raise changed(path) from error


def changed(path: Path) -> BadInput:
    return BadInput(
        f"{path.name} changed while it was read", where=str(path), next="run again when nothing writes to it any more"
    )


def open_text(path: Path, codec: str, ending: str, offset: int = 0) -> IO[str]:
    """The file from a byte offset at which a character begins."""
    if offset:
        codec = unmarked(path, codec)
    raw = path.open("rb")
    raw.seek(offset)
    return io.TextIOWrapper(raw, encoding=codec, newline=ending)


def unmarked(path: Path, codec: str) -> str:
    """The encoding of what stands behind the byte order mark, where `codec` names one that looks for it."""
    if codec == "utf-8-sig":
        return "utf-8"
    if codec not in ("utf-16", "utf-32"):
        return codec
    with path.open("rb") as file:
        start = file.read(4)
    # Without a mark Python reads both as little-endian here; with one the file says it itself.
    return f"{codec}-be" if start.startswith((codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)) else f"{codec}-le"


def line_ending(path: Path, codec: str) -> str:
    r"""`\n`, unless the first 64 KiB hold none and do hold `\r` (files from very old spreadsheets)."""
    with path.open("r", encoding=codec, newline="") as file:
        start = file.read(1 << 16)
    return "\r" if "\r" in start and "\n" not in start else "\n"


class LineOffsets:
    """Where lines begin in a file, asked for in rising order: nothing is held of the lines between."""

    def __init__(self, path: Path, codec: str, ending: str, start: Position | None) -> None:
        self._path = path
        self._unit = character_unit(unmarked(path, codec))
        self._ending = ord(ending)
        self._offset, self._line = (start.offset, start.line) if start else (0, 1)

    def at(self, line: int) -> Position | None:
        """The place of a line not before the last one asked for; of the end of the file when it has fewer lines.

        None for encodings whose bytes mean something else according to what stood before them (ISO-2022, HZ, UTF-7)
        or whose lines end at no byte of their own (EBCDIC): such a file is read from its start only.
        """
        if self._unit is None:
            return None
        if line > self._line:
            with self._path.open("rb") as file:
                file.seek(self._offset)
                self._offset += _bytes_of_lines(file, line - self._line, self._ending, self._unit)
            self._line = line
        return Position(self._path.name, self._offset, self._line)


def character_unit(codec: str) -> np.dtype[np.unsignedinteger] | None:
    """The number that a line feed is in the bytes of this encoding, aligned; None where there is none to look for."""
    name = codecs.lookup(codec).name
    if name in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"):
        return np.dtype(f"{'<' if name.endswith('le') else '>'}u{int(name[4:6]) // 8}")
    if name in _MULTIBYTE or (_has_table(name) and b"\r\n".decode(name) == "\r\n"):
        return np.dtype(np.uint8)
    return None


def _has_table(name: str) -> bool:
    """Whether it is a code page: each byte a character, told by a table of 256."""
    try:
        module = importlib.import_module(f"encodings.{name.replace('-', '_')}")
    except ModuleNotFoundError:  # one that some package brought
        return False
    return hasattr(module, "decoding_table") or hasattr(module, "decoding_map")


def _bytes_of_lines(file: IO[bytes], count: int, ending: int, unit: np.dtype[np.unsignedinteger]) -> int:
    """The bytes that the next `count` lines take, or all that are left when there are fewer."""
    size = 0
    while chunk := file.read(CHUNK):
        units = np.frombuffer(chunk[: len(chunk) // unit.itemsize * unit.itemsize], dtype=unit)
        ends = np.flatnonzero(units == ending)
        if len(ends) >= count:
            return size + (int(ends[count - 1]) + 1) * unit.itemsize
        count -= len(ends)
        size += len(chunk)
    return size
