"""The columns of a Dataset under the public names of a task."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelyard.errors import BadInput
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, SPLIT
from modelyard.tasks.task import Task

if TYPE_CHECKING:
    import pyarrow as pa


def public_columns(dataset: Dataset, task: Task) -> dict[str, str]:
    """Column name -> public name, for inputs and target. Raises BadInput where a column is missing or not clear."""
    columns = {dataset.the("input", field).name: name for name, field in task.inputs.items()}
    columns[dataset.the("target", task.target).name] = task.target
    return columns


def read_side(dataset: Dataset, task: Task, side: str) -> pa.Table:
    """Inputs and target of one side of the split, by public names, with `row_id` where there is one.

    Raises BadInput when there is no split or the side is empty.
    """
    if not dataset.has(SPLIT):
        raise BadInput(
            "the dataset has no split: what to train on and what to validate on is not decided",
            next="run `modelyard split` on it first",
        )
    columns = public_columns(dataset, task)
    if dataset.has(ROW_ID):
        columns[ROW_ID] = ROW_ID
    table = dataset.read(list(columns), where={SPLIT: side})
    if not table.num_rows:
        raise BadInput(f"the split has no {side} rows", next=f"give split.{side} a larger share")
    return table.rename_columns([columns[name] for name in table.column_names])
