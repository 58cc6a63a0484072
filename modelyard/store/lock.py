"""A file that one process holds alone; the kernel drops the lock when its holder dies: none is ever left behind."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import EnvironmentProblem

ASKED_FOR_S = 0.2
NAMED_AFTER_S = 1.0  # a holder has written its process id by then


@contextlib.contextmanager
def locked(path: Path, doing: str, next: str) -> Iterator[None]:
    """Hold the file, whose folder is there. Raises EnvironmentProblem: `process 4711 is ` and what it is doing.

    Raises FileNotFoundError when its holder removed the folder meanwhile.
    """
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        if not _taken(handle):
            raise EnvironmentProblem(f"{_named(handle)} is {doing}", where=str(path.parent), next=next)
        if not os.path.samestat(os.fstat(handle), path.stat()):
            raise FileNotFoundError(path)
        # Before its content goes: overwriting needs no new block, so a full disk does not keep anyone out.
        os.pwrite(handle, f"{os.getpid():<20}\n".encode(), 0)
        yield
    finally:
        os.close(handle)


def holder(path: Path) -> str | None:
    """The process that holds the file (`process 4711`), None when there is none."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        return None
    except BlockingIOError:
        return _named(handle)
    finally:
        os.close(handle)


def _taken(handle: int) -> bool:
    """Try for a moment: `holder` takes the lock for an instant to see whether it is free."""
    until = time.monotonic() + ASKED_FOR_S
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > until:
                return False
            time.sleep(0.01)


def _named(handle: int) -> str:
    """The holder by its process id; in words when it has not written one, or works on another machine."""
    until = time.monotonic() + NAMED_AFTER_S
    while True:
        said = os.pread(handle, 64, 0).decode(errors="replace").strip()
        if said.isdecimal() and _lives(int(said)):
            return f"process {said}"
        if time.monotonic() > until:
            return "a process that cannot be seen from here"
        time.sleep(0.02)


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
