"""Telling a full disk from every other error, whichever library met it, and saying so in one way."""

from __future__ import annotations

import errno
import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import EnvironmentProblem, ModelyardError

ERRNOS = (errno.ENOSPC, errno.EDQUOT)
# How libraries say it that hand no errno on: Rust ones (safetensors, tokenizers, polars), libc's words, SQLite.
WORDS = ("no space left on device", "os error 28)", "disk quota exceeded", "os error 122)", "database or disk is full")
# SQLite's primary codes for what a full disk also looks like: it cannot grow or open its shared memory or journal.
SQLITE_ALSO = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN)
# What also has other reasons: C++ streams (torch) only say that they broke.
WORDS_ALSO = ("iostream error", "inline_container")
NOTHING_LEFT = 1 << 20  # bytes; below it an error of input or output that gives no reason is one of space


def full_disk(error: BaseException, place: Path) -> EnvironmentProblem | None:
    """What to tell the user when `error` came of a full disk or quota; None when it did not.

    place: a path on the disk that was written to.
    """
    if isinstance(error, ModelyardError) or not any(_says_full(cause, place) for cause in _causes(error)):
        return None
    files = [cause.filename for cause in _causes(error) if isinstance(cause, OSError) and cause.filename is not None]
    free, total = _space(place)
    name = Path(str(files[0])).name if files else "the output"
    return EnvironmentProblem(
        f"the disk is full: {name} was not written; nothing that was there before is lost",
        where=f"{place} ({free / 1e6:,.1f} MB free of {total / 1e6:,.1f} MB)",
        next="free some space on this disk (`modelyard gc` frees what no version and no recent run needs), "
        "then run the same command again: it goes on",
    )


def _causes(error: BaseException) -> Iterator[BaseException]:
    seen: set[int] = set()
    current: BaseException | None = error
    while current is not None and id(current) not in seen:
        seen.add(id(current))
        yield current
        current = current.__cause__ or (None if current.__suppress_context__ else current.__context__)


def _says_full(error: BaseException, place: Path) -> bool:
    if isinstance(error, OSError) and error.errno in ERRNOS:
        return True
    if isinstance(error, sqlite3.OperationalError):
        code = getattr(error, "sqlite_errorcode", 0) & 0xFF
        return code == sqlite3.SQLITE_FULL or (code in SQLITE_ALSO and _space(place)[0] < NOTHING_LEFT)
    said = str(error).lower()
    if any(words in said for words in WORDS):
        return True
    return any(words in said for words in WORDS_ALSO) and _space(place)[0] < NOTHING_LEFT


def _space(place: Path) -> tuple[int, int]:
    """Free and total bytes of the disk that holds the path, or would hold it."""
    while not place.exists() and place != place.parent:
        place = place.parent
    usage = shutil.disk_usage(place)
    return usage.free, usage.total
