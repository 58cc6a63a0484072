"""Lines of a text file, in bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path


def read_lines(path: Path, codec: str, limit: int, ending: str = "\n") -> Iterator[str | None]:
    r"""Lines that end at `ending` only (U+2028, \x85 and \f are content), their ending kept.

    None stands for a line of more than `limit` characters, which is skipped without being held.
    """
    with path.open("r", encoding=codec, newline=ending) as file:
        while line := file.readline(limit + 1):
            if len(line) <= limit or line.endswith(ending):
                yield line
                continue
            while (rest := file.readline(limit)) and not rest.endswith(ending):
                pass
            yield None


def line_ending(path: Path, codec: str) -> str:
    r"""`\n`, unless the first 64 KiB hold none and do hold `\r` (files from very old spreadsheets)."""
    with path.open("r", encoding=codec, newline="") as file:
        start = file.read(1 << 16)
    return "\r" if "\r" in start and "\n" not in start else "\n"
