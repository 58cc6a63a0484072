"""Which encoding a text file is in: a byte order mark, UTF-16 by its NUL bytes, strict UTF-8, then GB18030 (which holds
GBK and GB2312).

UTF-8 comes first because GB18030 accepts most UTF-8 text of Chinese and turns it into mojibake.
"""

from __future__ import annotations

import codecs
import struct
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from modelyard.errors import BadInput

CHUNK = 1 << 20
NUL_SAMPLE = 4096
# The mark of UTF-32 begins with that of UTF-16.
MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)


@dataclass(frozen=True)
class Undecodable:
    """The first bytes that do not fit: byte offset from 0, line from 1."""

    offset: int
    line: int
    shown: str


def first_undecodable(path: Path, codec: str) -> Undecodable | None:
    """Decode the whole file in 1 MiB pieces, keeping none of it."""
    if codec in ("utf-8", "utf-8-sig") and _is_utf_8(path):
        return None
    decoder = codecs.getincrementaldecoder(codec)()
    before = newlines = 0
    with path.open("rb") as file:
        while True:
            chunk = file.read(CHUNK)
            try:
                decoder.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                # The decoder had kept the bytes of an unfinished character from the chunk before.
                kept = len(error.object) - len(chunk)
                line = newlines + chunk[: max(0, error.start - kept)].count(b"\n") + 1
                return Undecodable(before - kept + error.start, line, error.object[error.start :][:4].hex(" "))
            if not chunk:
                return None
            before += len(chunk)
            newlines += chunk.count(b"\n")


def _is_utf_8(path: Path) -> bool:
    """The same answer without making characters of the bytes, thirty times as fast."""
    unfinished = b""
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            text = unfinished + chunk
            # A character is four bytes at most: one that is cut off begins among the last three.
            end = len(text) - next((n for n in (1, 2, 3) if text[-n:][:1] >= b"\xc0"), 0)
            text, unfinished = text[:end], text[end:]
            if not is_whole_utf_8(text):
                return False
    return is_whole_utf_8(unfinished)


def is_whole_utf_8(text: bytes | memoryview) -> bool:
    """Whether the bytes are UTF-8 that ends behind a character."""
    array = pa.LargeStringArray.from_buffers(1, pa.py_buffer(struct.pack("=2q", 0, len(text))), pa.py_buffer(text))
    try:
        array.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def find_encoding(path: Path, asked: str | None) -> str:
    """The codec that decodes the whole file. Raises BadInput with line and byte offset when none does."""
    with path.open("rb") as file:
        start = file.read(NUL_SAMPLE)
    marked = next((codec for mark, codec in MARKS if start.startswith(mark)), None)
    if asked in ("utf-8", "utf-16", "utf-32") and marked is not None:
        asked = marked
    only = asked or marked or _unmarked_utf_16(start)
    first = first_undecodable(path, only or "utf-8")
    if first is None:
        return only or "utf-8"
    if only is not None:
        raise BadInput(
            f"{path.name} is not {only} at line {first.line}: byte {first.offset} ({first.shown})",
            where=f"{path}, line {first.line}, byte offset {first.offset}",
            next="repair the line, or name another encoding with ingest.encoding",
        )
    other = first_undecodable(path, "gb18030")
    if other is None and not _looks_western(path, first.offset):
        return "gb18030"
    why = (
        f"and not GB18030 at line {other.line}, byte {other.offset}"
        if other is not None
        else "and as GB18030 it would be nonsense: single accented letters, as in a Western code page"
    )
    raise BadInput(
        f"{path.name} is not UTF-8 at line {first.line}, byte {first.offset} ({first.shown}), {why}",
        where=f"{path}, line {first.line}, byte offset {first.offset}",
        next="save it as UTF-8, or name its encoding: ingest.encoding (for instance cp1252, big5, shift_jis)",
    )


def read_text(path: Path, asked: str | None) -> str:
    """All of a small file. Raises BadInput as `find_encoding` does."""
    return path.read_text(find_encoding(path, asked))


def _unmarked_utf_16(start: bytes) -> str | None:
    """UTF-16 without a mark is valid UTF-8 as far as it is ASCII: it shows by NULs in every other byte only."""
    nuls = [place for place, byte in enumerate(start) if byte == 0]
    if len(nuls) * 10 < len(start) or len({place % 2 for place in nuls}) != 1:
        return None
    return "utf-16-le" if nuls[0] % 2 else "utf-16-be"


def _looks_western(path: Path, offset: int) -> bool:
    """Whether most two-byte characters end in an ASCII byte, as accented letters between plain ones do.

    In GBK text of simplified Chinese nearly every second byte lies above 0xA0.
    """
    with path.open("rb") as file:
        file.seek(offset)
        text = file.read(CHUNK).decode("gb18030", "ignore")
    second = [encoded[1] for encoded in (c.encode("gb18030") for c in text if c > "\x7f") if len(encoded) == 2]
    return sum(byte < 0x80 for byte in second) * 2 > len(second)
