"""The two sides of a Dataset that training reads, prepared once."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, show_row_id
from modelyard.tasks.columns import read_side
from modelyard.tasks.task import Pipeline, Task
from modelyard.training.rows import Rows, prepare_rows

if TYPE_CHECKING:
    import pyarrow as pa

    from modelyard.tasks.training import TrainingTask

CHUNK = 1024


@dataclass(frozen=True)
class Sides:
    """Tables of the train and validation rows, columns under their public names; the labels in class order."""

    train: pa.Table
    validation: pa.Table
    labels: list[str]


def read_sides(dataset: Dataset, task: Task) -> Sides:
    """Raises BadInput when there is no split, an empty side, fewer than two classes, or a class only validation has."""
    sides = {side: read_side(dataset, task, side) for side in ("train", "validation")}
    target = dataset.the("target", task.target)
    present = set(sides["train"][task.target].to_pylist())
    labels = [name for name in (target.classes or sorted(present)) if name in present]
    if len(labels) < 2:
        raise BadInput(
            f"the training rows have one class only: {', '.join(labels)}",
            where=f"column {target.name}",
            next="give data with at least two classes",
        )
    strange = sorted(set(sides["validation"][task.target].to_pylist()) - present)
    if strange:
        raise BadInput(
            f"the class {strange[0]!r} stands in validation and never in train",
            where=f"column {target.name}",
            next="collect more rows of it, or leave them out",
        )
    return Sides(sides["train"], sides["validation"], labels)


def prepare_side(
    table: pa.Table, task: Task, training: TrainingTask, pipeline: Pipeline, labels: list[str], run: Run, label: str
) -> Rows:
    """One side as flat arrays. Raises BadInput that names the row."""
    inputs = list(task.inputs)

    def chunks() -> Iterator[list[dict[str, Any]]]:
        for batch in table.select(inputs).to_batches(max_chunksize=CHUNK):
            if batch.num_rows:
                yield batch.to_pylist()

    def name_row(row: int) -> str:
        return f"row {show_row_id(table[ROW_ID][row].as_py())}" if ROW_ID in table.column_names else f"row {row}"

    def tell(done: int) -> None:
        run.check_cancelled()
        run.listener.progress(f"prepare {label}", done, table.num_rows)

    targets = training.targets(table[task.target].to_pylist(), labels)
    return prepare_rows(pipeline, chunks(), np.asarray(targets), name_row, tell)
