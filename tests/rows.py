"""Small Datasets for tests, through the same door as a user's: a CSV file and `ingest`."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from modelyard.run import Cancelled, Run
from modelyard.stages.ingest import ColumnNames, IngestConfig, ingest
from modelyard.store import Column, Dataset, Store

READERS = ("text_files.delimited", "text_files.jsonl", "parquet")


def new_run(root: Path) -> Run:
    return Run(store=Store(root / "store"))


def cut_small(patch: pytest.MonkeyPatch, part: int, batch: int) -> None:
    """Ingest cuts a small source as it cuts a large one: into parts of at least so many bytes, which are made of
    batches of at most so many rows."""
    patch.setattr(sys.modules[ingest.__module__], "PART_CHARACTERS", part)
    for reader in READERS:
        patch.setattr(f"modelyard.stages.ingest.{reader}.BATCH_ROWS", batch)


class Heard:
    """A listener that keeps what it was told. batches: how many ingest has read."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.warned: list[str] = []
        self.batches = 0

    def progress(self, label: str, done: int, total: int | None, note: str = "") -> None:
        self.batches += label == "ingest" and done > 0

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


def read(folder: Path, content: str, name: str = "a.csv", **config: Any) -> tuple[Dataset, dict[str, Any]]:
    """What is made of a file of that content, and the details of it."""
    path = folder / name
    path.write_bytes(content.encode())
    run = new_run(folder)
    return ingest(path, IngestConfig(**config), run), run.details


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
        super().progress(label, done, total, note)
        if (label, done) == self._at:
            raise Cancelled
