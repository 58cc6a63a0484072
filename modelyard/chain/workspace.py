"""The workspace: the folder `.modelyard/` with store, ledger and lock; it can be moved or copied whole."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

from modelyard.errors import EnvironmentProblem
from modelyard.full_disk import full_disk
from modelyard.ledger import Ledger
from modelyard.store import Store, lock

LOCK = "lock"


class Workspace:
    """Opens or creates `root`: store/, ledger.db, lock. instead: what a second process is told to give."""

    def __init__(self, root: Path, instead: str = "another workspace with --workspace DIR") -> None:
        self.root, self._instead = root.resolve(), instead
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

        Raises EnvironmentProblem that names the process that holds it.
        """
        with lock.locked(self.root / LOCK, "working in this workspace", f"wait for it, or give {self._instead}"):
            self.store.clear_abandoned()
            yield


def holder(root: Path) -> str | None:
    """The process that works in a workspace now (`process 4711`), None when there is none."""
    return lock.holder(root / LOCK)
