"""The workspace: the folder `.modelyard/` with store, ledger and lock; it can be moved or copied whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import EnvironmentProblem
from modelyard.full_disk import full_disk
from modelyard.ledger import Ledger
from modelyard.store import Store

LOCK = "lock"
ASKED_FOR_S = 0.2
NAMED_AFTER_S = 1.0  # a holder has written its process id by then


class Workspace:
    """Opens or creates `root`: store/, ledger.db, lock."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.store = Store(self.root / "store")
        except OSError as error:
            raise full_disk(error, self.root) or EnvironmentProblem(
                f"the workspace cannot be written: {error.strerror}",
                where=str(self.root),
                next="give another place with --workspace DIR or MODELYARD_WORKSPACE",
            ) from error
        self.ledger = Ledger(self.root / "ledger.db")

    def close(self) -> None:
        self.ledger.close()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace alone, and clear away what a killed holder left half written.

        The kernel drops the lock when its holder dies, so none is ever left behind.
        Raises EnvironmentProblem that names the process that holds it.
        """
        handle = os.open(self.root / LOCK, os.O_RDWR | os.O_CREAT, 0o644)
        try:
            if not _taken(handle):
                raise EnvironmentProblem(
                    f"{_named(handle)} is working in this workspace",
                    where=str(self.root),
                    next="wait for it, or give another workspace with --workspace DIR",
                )
            # Before its content goes: overwriting needs no new block, so a full disk does not keep anyone out.
            os.pwrite(handle, f"{os.getpid():<20}\n".encode(), 0)
            self.store.clear_abandoned()
            yield
        finally:
            os.close(handle)


def holder(root: Path) -> str | None:
    """The process that works in a workspace now (`process 4711`), None when there is none."""
    try:
        handle = os.open(root / LOCK, os.O_RDONLY)
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
