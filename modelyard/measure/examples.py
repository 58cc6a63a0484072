"""The rows of one side of a Dataset as a task's items and targets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.errors import BadInput
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, SPLIT, show_row_id
from modelyard.tasks import Task
from modelyard.tasks.columns import public_columns


@dataclass(frozen=True)
class Examples:
    """items: what requests give, `len(items) / len(targets)` a row, row after row; targets: the true values, one a row;
    meta: other columns by name."""

    items: list[Mapping[str, Any]]
    targets: list[Any]
    row_ids: list[str]
    meta: dict[str, list[str | None]]

    def __len__(self) -> int:
        """Rows."""
        return len(self.targets)

    @property
    def per_row(self) -> int:
        """Requests that a row stands for."""
        return len(self.items) // max(len(self.targets), 1)

    @property
    def requests(self) -> list[str | bytes]:
        """The first public input of every item as a request of one item carries it: a text, or the bytes of a file."""
        values = [next(iter(item.values())) for item in self.items]
        return [value if isinstance(value, bytes) else str(value) for value in values]

    @property
    def texts(self) -> list[str]:
        """The same of a task whose requests are texts."""
        return [str(request) for request in self.requests]

    def text(self, place: int) -> str:
        """One of them, by the place of its request; empty where a request is a file."""
        value = next(iter(self.items[place].values()))
        return "" if isinstance(value, bytes) else str(value)

    def file(self, place: int) -> bytes:
        """The same where a request is a file; empty where it is a text."""
        value = next(iter(self.items[place].values()))
        return value if isinstance(value, bytes) else b""


def read_examples(
    dataset: Dataset, task: Task, side: str, meta: Sequence[str] = (), rows: int | None = None
) -> Examples:
    """Rows of that side of the split, all of them or `rows`, evenly spaced; of a Dataset that was never split, of all.
    Raises BadInput for none."""
    public = public_columns(dataset, task)
    has_id = dataset.has(ROW_ID)
    columns = list(dict.fromkeys([*public, *meta, *([ROW_ID] if has_id else [])]))
    table = dataset.read(columns, {SPLIT: side} if dataset.has(SPLIT) else None, rows)
    if not table.num_rows:
        raise BadInput(f"the {side} side has no rows", next="give the split more rows: split.shares in modelyard.yaml")
    values = {name: table[name].to_pylist() for name in columns}
    by_public = {name: values[column] for column, name in public.items()}
    places = range(table.num_rows)
    return Examples(
        task.items([{name: by_public[name][row] for name in task.columns} for row in places]),
        by_public[task.target],
        [show_row_id(row_id) for row_id in values[ROW_ID]] if has_id else [str(row) for row in places],
        {name: values[name] for name in meta},
    )


def hold_labels(task: Task, targets: Sequence[Any], labels: Sequence[str], side: str) -> None:
    """Raises BadInput for a class that the model does not know; a target that holds no class is held by nothing."""
    unknown = sorted({name for target in targets for name in task.classes_of(target)} - set(labels))
    if unknown:
        raise BadInput(
            f"the {side} rows have the class {unknown[0]!r}, the package knows {', '.join(labels)}",
            next="give data with the classes that the model was trained on",
        )
