"""Progress on stderr: a live line on a terminal, a plain line now and then anywhere else."""

from __future__ import annotations

import sys
import time
from types import TracebackType
from typing import TYPE_CHECKING, Self

import click

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID

PLAIN_EVERY_S = 15.0


class PlainProgress:
    """For logs and pipes: at most one line every 15 seconds, nothing for work that ends before."""

    def __init__(self) -> None:
        self._said = time.monotonic()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        pass

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None:
        now = time.monotonic()
        if now - self._said >= PLAIN_EVERY_S:
            self._said = now
            of = f"{done:,} of {total:,}" if total else f"{done:,}"
            click.echo(f"  {label}: {of}{'  ' + note if note else ''}", err=True)

    def line(self, text: str) -> None:
        """A line that stays: the end of a stage."""
        click.echo(text, err=True)

    def say(self, message: str) -> None:
        click.echo(f"  {message}", err=True)

    def warn(self, message: str) -> None:
        click.echo(f"  {click.style('warning', fg='yellow')}: {message}", err=True)


class LiveProgress:
    """For a terminal: one bar that goes away when its work is done."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bar: Progress = Progress(
            TextColumn("  {task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[note]}"),
            console=Console(stderr=True),
            transient=True,
        )
        self._task: TaskID | None = None
        self._label = ""

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bar.stop()

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None:
        if self._task is None or label != self._label:
            self.clear()
            self._task, self._label = self._bar.add_task(label, total=total, note=note), label
        self._bar.update(self._task, completed=done, total=total, note=note)

    def clear(self) -> None:
        """Take the bar away: its work is over."""
        if self._task is not None:
            self._bar.remove_task(self._task)
            self._task = None

    def line(self, text: str) -> None:
        """A line that stays, above the bar and instead of it: the end of a stage."""
        from rich.text import Text

        self.clear()
        self._bar.console.print(Text.from_ansi(text), soft_wrap=True)

    def say(self, message: str) -> None:
        self._bar.console.print(f"  {message}", highlight=False, markup=False)

    def warn(self, message: str) -> None:
        self._bar.console.print(f"  warning: {message}", style="yellow", highlight=False, markup=False)


def progress() -> LiveProgress | PlainProgress:
    """The kind of progress that stderr can show."""
    return LiveProgress() if sys.stderr.isatty() else PlainProgress()
