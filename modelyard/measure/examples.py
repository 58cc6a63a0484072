"""The rows of one side of a Dataset as a task's items and targets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.errors import BadInput
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, SPLIT, show_row_id
from modelyard.tasks import Task


@dataclass(frozen=True)
class Examples:
    """items: public inputs, as a request gives them; targets: the true values; meta: other columns by name."""

    items: list[dict[str, Any]]
    targets: list[str]
    row_ids: list[str]
    meta: dict[str, list[str | None]]

    def __len__(self) -> int:
        return len(self.items)

    @property
    def texts(self) -> list[str]:
        """The first public input of every item: what a request of one text carries."""
        return [str(next(iter(item.values()))) for item in self.items]


def read_examples(dataset: Dataset, task: Task, side: str, meta: Sequence[str] = ()) -> Examples:
    """Rows of that side of the split; all rows of a Dataset that was never split. Raises BadInput for none."""
    inputs = {name: dataset.the("input", kind).name for name, kind in task.inputs.items()}
    target = dataset.the("target", task.target).name
    has_id = dataset.has(ROW_ID)
    columns = list(dict.fromkeys([*inputs.values(), target, *meta, *([ROW_ID] if has_id else [])]))
    table = dataset.read(columns, {SPLIT: side} if dataset.has(SPLIT) else None)
    if not table.num_rows:
        raise BadInput(f"the {side} side has no rows", next="give the split more rows: split.shares in modelyard.yaml")
    values = {name: table[name].to_pylist() for name in columns}
    rows = range(table.num_rows)
    return Examples(
        [{name: values[column][row] for name, column in inputs.items()} for row in rows],
        values[target],
        [show_row_id(row_id) for row_id in values[ROW_ID]] if has_id else [str(row) for row in rows],
        {name: values[name] for name in meta},
    )
