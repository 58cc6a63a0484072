"""The columns of a Dataset under the public names of a task."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from modelyard.errors import BadInput
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID, SPLIT
from modelyard.tasks.task import Task

if TYPE_CHECKING:
    import pyarrow as pa


def public_columns(dataset: Dataset, task: Task) -> dict[str, str]:
    """Column name -> public name, for inputs and target. Raises BadInput where a column is missing or not clear."""
    wanted = [(public, "input", field) for public, field in task.columns.items()]
    wanted.append((task.target, "target", task.target_field))
    return {_column(dataset, *each).name: each[0] for each in wanted}


def _column(dataset: Dataset, public: str, role: str, field: str) -> Column:
    """The column that ingest made for this public name, else the only one of that role and field."""
    for column in dataset.with_role(role):
        if column.public == public and column.field == field:
            return column
    return dataset.the(role, field)


def _side_columns(dataset: Dataset, task: Task) -> dict[str, str]:
    """The Dataset's names of inputs, target and row ids to public ones. Raises BadInput when there is no split."""
    if not dataset.has(SPLIT):
        raise BadInput(
            "the dataset has no split: what to train on and what to validate on is not decided",
            next="run `modelyard split` on it first",
        )
    columns = public_columns(dataset, task)
    return {**columns, ROW_ID: ROW_ID} if dataset.has(ROW_ID) else columns


def side_tables(
    dataset: Dataset, task: Task, side: str, *, first: int = 0, targets_only: bool = False
) -> Iterator[tuple[int, pa.Table]]:
    """Inputs and target of one side of the split, by public names, with `row_id` where there is one: part by part.

    Yields the place of each part, from `first` on, that has rows of that side. Raises BadInput when there is no split.
    """
    import pyarrow.compute as pc

    columns = _side_columns(dataset, task)
    if targets_only:
        columns = {name: public for name, public in columns.items() if public == task.target}
    for view in dataset.views():
        if view.index < first:
            continue
        table = view.read([*columns, SPLIT])
        table = table.filter(pc.equal(table[SPLIT], side)).drop_columns(SPLIT)
        if table.num_rows:
            yield view.index, table.rename_columns(list(columns.values()))


def read_side(dataset: Dataset, task: Task, side: str, rows: int | None = None) -> pa.Table:
    """The same in one table: all of it, or `rows` of it, evenly spaced. Raises BadInput for an empty side too."""
    columns = _side_columns(dataset, task)
    table = dataset.read(list(columns), {SPLIT: side}, rows)
    if not table.num_rows:
        raise empty_side(side)
    return table.rename_columns(list(columns.values()))


def empty_side(side: str) -> BadInput:
    return BadInput(f"the split has no {side} rows", next=f"give split.{side} a larger share")
