"""Small Datasets for tests, through the same door as a user's: a CSV file and `ingest`."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from modelyard.run import Cancelled, Run
from modelyard.stages.ingest import ColumnNames, IngestConfig, ingest
from modelyard.store import Column, Dataset, Store


def new_run(root: Path) -> Run:
    return Run(store=Store(root / "store"))


class Heard:
    """A listener that keeps what it was told."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None:
        pass

    def say(self, message: str) -> None:
        self.said.append(message)

    def warn(self, message: str) -> None:
        self.warned.append(message)


def write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], encoding: str = "utf-8") -> Path:
    with path.open("w", newline="", encoding=encoding) as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
    return path


def labelled(run: Run, rows: Iterable[tuple[str, ...]], header: Sequence[str] = ("text", "label")) -> Dataset:
    """A Dataset of text, label and any further columns."""
    path = write_csv(run.store.temporary / "rows.csv", header, rows)
    return ingest(path, IngestConfig(columns=ColumnNames(text="text", label="label")), Run(store=run.store))


def in_parts(run: Run, parts: Sequence[Sequence[tuple[str, str]]]) -> Dataset:
    """The same rows as `labelled`, cut into parts at the given places."""
    whole = labelled(run, [row for part in parts for row in part])
    table = whole.read([column.name for column in whole.columns])
    writer = run.store.new_dataset(whole.columns)
    start = 0
    for part in parts:
        writer.write(table.slice(start, len(part)))
        start += len(part)
    return writer.finish()


def column(dataset: Dataset, name: str) -> list[object]:
    return dataset.read([name])[name].to_pylist()


def described(dataset: Dataset) -> dict[str, tuple[str, str]]:
    """Name: (field, role) of the columns that a person gave."""
    return {c.name: (c.field, c.role) for c in dataset.columns if c.role != "system"}


def classes(dataset: Dataset) -> tuple[str, ...]:
    (target,) = dataset.with_role("target")
    assert isinstance(target, Column)
    return target.classes


class StopsAt(Heard):
    """A listener that stops the run when `done` items of `label` are done."""

    def __init__(self, label: str, done: int) -> None:
        super().__init__()
        self._at = (label, done)

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None:
        if (label, done) == self._at:
            raise Cancelled
