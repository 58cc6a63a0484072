"""The one error hierarchy. Every message says what happened, where, and what to do now."""

from __future__ import annotations

from pathlib import Path
from typing import Any


class ModelyardError(Exception):
    """Base of all errors that a user should read; `kind` and `exit_code` are part of the CLI contract."""

    kind = "error"
    exit_code = 70

    def __init__(self, message: str, *, where: str | None = None, next: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.next = next
        # Set by whoever runs a stage: which one failed, and the JSON file with what it had measured until then.
        self.stage: str | None = None
        self.evidence: Path | None = None

    def as_json(self) -> dict[str, Any]:
        """The `error` object of the CLI envelope."""
        return {"kind": self.kind, "message": self.message, "where": self.where, "next": self.next}


class BadInput(ModelyardError):
    """Something the user gave cannot be used: a file, a row, a value."""

    kind = "bad_input"
    exit_code = 2


class BadConfig(BadInput):
    """A key or value of modelyard.yaml (or of `--set`) is wrong."""

    kind = "bad_config"


class EnvironmentProblem(ModelyardError):
    """The machine lacks something: a package, disk space, a free port, the workspace lock."""

    kind = "environment"
    exit_code = 3


class GateFailed(ModelyardError):
    """A figure lies on the wrong side of its bar; nothing is handed on."""

    kind = "gate"
    exit_code = 1

    def __init__(
        self,
        name: str,
        value: float,
        bar: float,
        message: str,
        *,
        where: str | None = None,
        next: str | None = None,
    ) -> None:
        super().__init__(message, where=where, next=next)
        self.name = name
        self.value = value
        self.bar = bar


class Waiting(ModelyardError):
    """Not an error: the stage waits for people or for another system. The CLI exits 0."""

    kind = "waiting"
    exit_code = 0

    def __init__(self, for_what: str, for_whom: str, done: int, total: int, *, next: str | None = None) -> None:
        super().__init__(f"waiting for {for_what} from {for_whom}: {done:,} of {total:,}", next=next)
        self.for_what = for_what
        self.for_whom = for_whom
        self.done = done
        self.total = total

    def as_waiting(self) -> dict[str, Any]:
        """The `waiting` object of the CLI envelope."""
        return {
            "for": self.for_what,
            "whom": self.for_whom,
            "done": self.done,
            "of": self.total,
            "next": self.next,
        }


class Damaged(ModelyardError):
    """A stored object does not match its digest or its manifest."""

    kind = "damaged"
    exit_code = 3


class Fault(ModelyardError):
    """Our own mistake."""

    kind = "fault"
    exit_code = 70


# What the same command with the same inputs would only meet again: of such a try nothing is kept to go on from.
FAILS_AGAIN = (BadInput, GateFailed, Damaged)
