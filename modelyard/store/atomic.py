"""Writes that are whole or not there: to a temporary neighbour, flushed, then renamed.

What is being written is held by a lock that the kernel drops when its process dies. So what a killed process left is
told from what another one is writing, and the next writer in the same place removes it.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from modelyard.full_disk import full_disk

BUILDING = ".modelyard-new-"


def hold(path: Path) -> int:
    """Mark a directory as in use until the handle is closed or this process dies; answers the handle."""
    handle = os.open(path, os.O_RDONLY)
    _shared(handle)
    return handle


@contextlib.contextmanager
def _alone(path: Path) -> Iterator[bool]:
    """Whether no process holds the path; while the block runs none can come to hold it."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # held, or a disk without locks, where nothing can be known
            yield False
        else:
            yield True
    finally:
        os.close(handle)


def _shared(handle: int) -> bool:
    """Take the lock of what was just made; False when a cleaner removed it in that moment."""
    with contextlib.suppress(OSError):  # a disk without locks: nothing there is ever taken for abandoned
        fcntl.flock(handle, fcntl.LOCK_SH)
    return os.fstat(handle).st_nlink > 0


def sync_directory(path: Path) -> None:
    """Make a rename in this directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def ensure_directory(path: Path) -> None:
    """Make a directory and its missing parents, so that they survive a power cut."""
    if path.is_dir():
        return
    ensure_directory(path.parent)
    path.mkdir(exist_ok=True)
    sync_directory(path.parent)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all. Raises EnvironmentProblem when the disk is full."""
    prefix, suffix = f".{path.name}.", ".tmp"
    try:
        ensure_directory(path.parent)
        _remove_abandoned(path.parent, prefix, suffix)
        handle, temporary = _new_file(path.parent, prefix, suffix)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(data)
                os.fchmod(file.fileno(), _usual(0o666))
                file.flush()
                os.fsync(file.fileno())
                temporary.replace(path)
            sync_directory(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
    except OSError as error:
        if problem := full_disk(error, path):
            raise problem from error
        raise


def _usual(mode: int) -> int:
    """The mode that a plain `open` or `mkdir` would give: temporary files are made private, results are not."""
    mask = os.umask(0)
    os.umask(mask)
    return mode & ~mask


def _new_file(parent: Path, prefix: str, suffix: str) -> tuple[int, Path]:
    while True:
        handle, name = tempfile.mkstemp(prefix=prefix, suffix=suffix, dir=parent)
        if _shared(handle):
            return handle, Path(name)
        os.close(handle)


@contextlib.contextmanager
def new_directory(parent: Path) -> Iterator[Path]:
    """A temporary directory under `parent`, removed unless it was moved away.

    Raises EnvironmentProblem when the disk ran full in the block, whichever library wrote.
    """
    try:
        ensure_directory(parent)
        _remove_abandoned(parent, BUILDING)
        temporary, handle = _new_held_directory(parent)
    except OSError as error:
        if problem := full_disk(error, parent):
            raise problem from error
        raise
    try:
        temporary.chmod(_usual(0o777))
        yield temporary
    except Exception as error:
        if problem := full_disk(error, temporary):
            raise problem from error
        raise
    finally:
        if temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)
        os.close(handle)


def _new_held_directory(parent: Path) -> tuple[Path, int]:
    while True:
        temporary = Path(tempfile.mkdtemp(prefix=BUILDING, dir=parent))
        try:
            handle = os.open(temporary, os.O_RDONLY)
        except FileNotFoundError:
            continue
        if _shared(handle):
            return temporary, handle
        os.close(handle)


def _remove_abandoned(parent: Path, prefix: str, suffix: str = "") -> None:
    """Remove what killed writers left in `parent` under that name."""
    with os.scandir(parent) as entries:
        found = [entry for entry in entries if entry.name.startswith(prefix) and entry.name.endswith(suffix)]
    for entry in found:
        remove_unheld(Path(entry.path))


def remove_unheld(path: Path, through: Path | None = None) -> bool:
    """Remove a file or directory unless a process holds it; whether it was removed.

    through: a directory on the same disk that it is first renamed into, so that it is never seen half removed.
    """
    with _alone(path) as alone:
        if not alone:
            return False
        if through is not None:
            path = path.rename(through / path.name)
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
        return True


def publish_directory(temporary: Path, target: Path) -> None:
    """Flush everything below `temporary` and rename it to `target`, which must not exist."""
    for folder, _, files in os.walk(temporary, topdown=False):
        for name in files:
            with (Path(folder) / name).open("rb") as file:
                os.fsync(file.fileno())
        sync_directory(Path(folder))
    ensure_directory(target.parent)
    temporary.rename(target)
    sync_directory(target.parent)
