"""What a new model needs of the data before a row can be prepared: a tokenizer learned from the train side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.store.digests import digest_json
from modelyard.tasks.columns import side_tables
from modelyard.tasks.task import Task
from modelyard.tasks.training import Learning
from modelyard.training.base import base_digest

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask


def learned_base(base: Path, dataset: Dataset, task: Task, training: TrainingTask, run: Run) -> Path:
    """The base itself, or where it lacks something a whole one in the scratch folder, where a run that is started again
    finds it."""
    if not isinstance(training, Learning) or not training.learns(str(base)):
        return base
    origin = digest_json({"base": base_digest(base), "dataset": dataset.digest, "task": task.code or task.name})
    target = run.scratch("base") / origin[:16]
    if not target.is_dir():
        run.listener.progress("train: tokenizer", 0, None)
        with new_directory(target.parent) as folder:
            training.learn(str(base), _rows(dataset, task, run), folder)
            publish_directory(folder, target)
    return target


def _rows(dataset: Dataset, task: Task, run: Run) -> Iterator[Mapping[str, Any]]:
    """Those of the train side, by public names."""
    for _, table in side_tables(dataset, task, "train"):
        run.check_cancelled()
        yield from table.select([*task.columns, task.target]).to_pylist()
