"""The workspace: the folder `.modelyard/` with store, ledger and lock; it can be moved or copied whole."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import EnvironmentProblem
from modelyard.ledger import Ledger
from modelyard.store import Store


class Workspace:
    """Opens or creates `root`: store/, ledger.db, lock."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        try:
            self.root.mkdir(parents=True, exist_ok=True)
            self.store = Store(self.root / "store")
        except OSError as error:
            raise EnvironmentProblem(
                f"the workspace cannot be written: {error.strerror}",
                where=str(self.root),
                next="give another place with --workspace DIR or MODELYARD_WORKSPACE",
            ) from error
        self.ledger = Ledger(self.root / "ledger.db")

    def close(self) -> None:
        self.ledger.close()

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the workspace alone. The kernel drops the lock when its holder dies, so none is ever left behind.

        Raises EnvironmentProblem that names the process that holds it.
        """
        handle = os.open(self.root / "lock", os.O_RDWR | os.O_CREAT, 0o644)
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                holder = os.read(handle, 64).decode(errors="replace").strip() or "unknown"
                raise EnvironmentProblem(
                    f"process {holder} is working in this workspace",
                    where=str(self.root),
                    next="wait for it, or give another workspace with --workspace DIR",
                ) from None
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(handle)
