"""Writes that are whole or not there: to a temporary neighbour, flushed, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import EnvironmentProblem


def _full_disk(error: OSError, path: Path) -> EnvironmentProblem:
    return EnvironmentProblem(
        f"the disk is full: {path} was not written, what was there before is untouched",
        where=str(path.parent),
        next="free some space on this disk and run the same command again",
    )


def sync_directory(path: Path) -> None:
    """Make a rename in this directory survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_bytes(path: Path, data: bytes) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".tmp", dir=path.parent)
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
        sync_directory(path.parent)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        if error.errno == errno.ENOSPC:
            raise _full_disk(error, path) from error
        raise
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


@contextlib.contextmanager
def new_directory(parent: Path) -> Iterator[Path]:
    """A temporary directory under `parent`, removed unless its content was moved away."""
    parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=".new-", dir=parent))
    temporary.chmod(0o755)
    try:
        yield temporary
    except OSError as error:
        if error.errno == errno.ENOSPC:
            raise _full_disk(error, temporary) from error
        raise
    finally:
        if temporary.exists():
            shutil.rmtree(temporary, ignore_errors=True)


def publish_directory(temporary: Path, target: Path) -> None:
    """Flush every file below `temporary` and rename it to `target`, which must not exist."""
    for path in temporary.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary.rename(target)
    sync_directory(target.parent)
