"""The two sides of a Dataset that training reads: streamed part by part, prepared once, kept on disk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadConfig, BadInput
from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, show_row_id
from modelyard.tasks.columns import empty_side, side_tables
from modelyard.tasks.pipeline import Pipeline
from modelyard.tasks.task import Task
from modelyard.training.preparing import Chunk, prepare_rows
from modelyard.training.row_cache import RowCache
from modelyard.training.rows import Rows

if TYPE_CHECKING:
    import pyarrow as pa

    from modelyard.tasks.training import TrainingTask

CHUNK = 256  # rows that are prepared at once: of pictures some hundred MB
SIDES = ("train", "validation")


@dataclass(frozen=True)
class Sides:
    """How many rows each side has, and the labels in class order."""

    rows: dict[str, int]
    labels: list[str]


def read_sides(dataset: Dataset, task: Task) -> Sides:
    """One pass over the targets. Raises BadInput when there is no split or an empty side; of targets that are labels
    also for fewer than two classes, or a class only validation has."""
    rows = dict.fromkeys(SIDES, 0)
    present: dict[str, set[Any]] = {side: set() for side in SIDES}
    for side in SIDES:
        for _, table in side_tables(dataset, task, side, targets_only=True):
            rows[side] += table.num_rows
            for target in table[task.target].to_pylist():
                present[side].update(task.classes_of(target))
        if not rows[side]:
            raise empty_side(side)
    column = dataset.the("target", task.target_field)
    labels = [name for name in (column.classes or sorted(present["train"])) if name in present["train"]]
    if len(labels) < task.least_classes:
        raise BadInput(
            f"the training rows have one class only: {labels[0]}" if labels else "the training rows have no class",
            where=f"column {column.name}",
            next=f"give data with at least {task.least_classes} classes",
        )
    strange = sorted(present["validation"] - present["train"])
    if strange:
        raise BadInput(
            f"the class {strange[0]!r} stands in validation and never in train",
            where=f"column {column.name}",
            next="collect more rows of it, or leave them out",
        )
    return Sides(rows, labels)


def prepare_side(
    dataset: Dataset,
    side: str,
    task: Task,
    training: TrainingTask,
    pipeline: Pipeline,
    sides: Sides,
    run: Run,
    origin: dict[str, Any],
) -> Rows:
    """One side, memory-mapped from the scratch folder, where a run that is started again finds it.

    origin: what else the rows follow from (the tokenizer, its length). Raises BadInput that names the row.
    """
    what = {"dataset": dataset.digest, "side": side, "task": task.name, "code": task.code, "labels": sides.labels}
    cache = RowCache(run.scratch("rows") / side, {**what, **origin}, run.say)

    def chunks(table: pa.Table) -> Iterator[Chunk]:
        for batch in table.to_batches(max_chunksize=CHUNK):
            if batch.num_rows:
                yield _chunk(batch, len(cache), task, training, sides.labels)

    def tell(done: int) -> None:
        run.check_cancelled()
        run.listener.progress(f"prepare {side}", done, sides.rows[side])

    left = () if cache.finished else side_tables(dataset, task, side, first=cache.done)
    tell(len(cache))
    return prepare_rows(pipeline, ((place, chunks(table)) for place, table in left), cache, tell)


def _chunk(batch: pa.RecordBatch, start: int, task: Task, training: TrainingTask, labels: list[str]) -> Chunk:
    """start: rows of the side before it, by which a row is named that has no row_id."""
    rows = batch.select(list(task.columns)).to_pylist()
    items = task.items(rows)
    if len(items) != len(rows):
        raise BadConfig(
            f"a row of the task {task.name} stands for {len(items) // len(rows)} requests: it cannot be trained on",
            where="train.task",
            next="train with a task whose rows are requests",
        )
    named = batch[ROW_ID] if ROW_ID in batch.schema.names else None

    def name(place: int) -> str:
        return f"row {start + place}" if named is None else f"row {show_row_id(named[place].as_py())}"

    return Chunk(items, training.targets(batch[task.target].to_pylist(), labels), name)
