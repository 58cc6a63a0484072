"""Run: what a stage gets beside its inputs: progress, cancellation, the store, scratch space, figures, gates."""

from __future__ import annotations

import contextlib
import shutil
import tempfile
import threading
from collections.abc import Iterable, Iterator, Sized
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar

from modelyard.environment import environment
from modelyard.errors import FAILS_AGAIN, GateFailed
from modelyard.store import Report, Store
from modelyard.store.artifacts import write_index
from modelyard.store.digests import finite

T = TypeVar("T")


class Listener(Protocol):
    """Who is told how far a stage is: a terminal, plain lines, or nobody."""

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None: ...

    def say(self, message: str) -> None: ...

    def warn(self, message: str) -> None: ...


class Silent:
    """Tells nobody."""

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None:
        pass

    def say(self, message: str) -> None:
        pass

    def warn(self, message: str) -> None:
        pass


class Cancelled(KeyboardInterrupt):
    """The user asked to stop; what was finished is kept."""


@dataclass(frozen=True)
class Figure:
    """A measured value: how it was measured, its interval if there is one, its bar if there is one."""

    name: str
    value: Any
    how: str = ""
    unit: str = ""
    interval: tuple[float, float] | None = None

    def as_json(self) -> dict[str, Any]:
        shown: dict[str, Any] = {"value": self.value, "how": self.how, "unit": self.unit}
        if self.interval is not None:
            shown["interval"] = list(self.interval)
        return shown


@dataclass(frozen=True)
class Gate:
    """A figure held against its bar; `comparison` is `at_most` or `at_least`."""

    name: str
    value: float
    bar: float
    comparison: str
    passed: bool

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "value": self.value,
            "bar": self.bar,
            "comparison": self.comparison,
            "passed": self.passed,
        }


@dataclass
class Run:
    """Handed to every stage. `Run()` works in a notebook: a temporary store that tells nobody.

    key: names the work in progress, so that the same work finds its own scratch again after a crash.
    threads: compute threads a stage may use.
    scratch_root: where work in progress lies, when not in the store (which may be a temporary one).
    allowed_code: digests of the code of users' own tasks that may run out of a Model or Package.
    """

    store: Store = field(default_factory=lambda: Store(Path(tempfile.mkdtemp(prefix="modelyard-"))))
    listener: Listener = field(default_factory=Silent)
    key: str = "run"
    threads: int = 2
    scratch_root: Path | None = None
    allowed_code: frozenset[str] = frozenset()
    figures: dict[str, Figure] = field(default_factory=dict)
    gates: list[Gate] = field(default_factory=list)
    details: dict[str, Any] = field(default_factory=dict)
    cancelled: threading.Event = field(default_factory=threading.Event)

    def progress(self, items: Iterable[T], label: str, total: int | None = None) -> Iterator[T]:
        """Pass the items on, telling the listener; stops with Cancelled when the user asked to."""
        if total is None and isinstance(items, Sized):
            total = len(items)
        self.listener.progress(label, 0, total)
        for done, item in enumerate(items, start=1):
            self.check_cancelled()
            yield item
            self.listener.progress(label, done, total)

    def check_cancelled(self) -> None:
        if self.cancelled.is_set():
            raise Cancelled

    def say(self, message: str) -> None:
        self.listener.say(message)

    def warn(self, message: str) -> None:
        """A warning is shown at once and kept in the details of the stage."""
        self.details.setdefault("warnings", []).append(message)
        self.listener.warn(message)

    def record(
        self,
        name: str,
        value: Any,
        *,
        how: str = "",
        unit: str = "",
        interval: tuple[float, float] | None = None,
    ) -> None:
        """Keep a figure with how it was measured."""
        self.figures[name] = Figure(name, value, how, unit, interval)

    def gate(
        self,
        name: str,
        value: float,
        *,
        at_most: float | None = None,
        at_least: float | None = None,
        message: str = "",
        next: str | None = None,
    ) -> None:
        """Hold a figure against its bar. Raises GateFailed when it lies on the wrong side (NaN always does)."""
        if (at_most is None) == (at_least is None):
            raise ValueError("give at_most or at_least")
        if at_most is not None:
            bar, comparison, passed = at_most, "at_most", value <= at_most
        else:
            assert at_least is not None
            bar, comparison, passed = at_least, "at_least", value >= at_least
        self.gates.append(Gate(name, float(value), float(bar), comparison, bool(passed)))
        if not passed:
            side = "at most" if comparison == "at_most" else "at least"
            raise GateFailed(
                name,
                float(value),
                float(bar),
                message or f"{name} is {value:.4g}, the bar is {side} {bar:.4g}",
                next=next,
            )

    @property
    def recorded(self) -> bool:
        """Whether there is anything to report."""
        return bool(self.figures or self.gates or self.details)

    def scratch(self, name: str = "work") -> Path:
        """A folder of this work that survives kill -9 (checkpoints); the runner removes it when the stage is done."""
        path = (self.scratch_root or self.store.scratch(self.key)) / name
        path.mkdir(parents=True, exist_ok=True)
        return path

    @contextlib.contextmanager
    def unfinished(self, name: str) -> Iterator[Path]:
        """`scratch(name)` for journals and keys, by which the same work goes on after it was broken off; gone with the
        end of the block, and when the same work would only fail again."""
        path = self.scratch(name)
        try:
            yield path
        except FAILS_AGAIN:
            shutil.rmtree(path, ignore_errors=True)
            raise
        shutil.rmtree(path)

    def report(self, stage: str) -> Report:
        """What was recorded so far as a Report: figures.json {stage, figures, gates, details, environment}."""
        with self.store.new_directory() as folder:
            write_index(
                Report,
                folder,
                {
                    "format": 1,
                    "stage": stage,
                    "figures": finite({name: figure.as_json() for name, figure in self.figures.items()}),
                    "gates": finite([gate.as_json() for gate in self.gates]),
                    "details": finite(self.details),
                    "environment": environment(),
                },
            )
            return self.store.add(Report, folder)
