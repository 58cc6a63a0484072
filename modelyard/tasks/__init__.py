"""A folder a task. TASKS is the one table; a task's modules are imported when they are asked for."""

from __future__ import annotations

import importlib

from modelyard.errors import BadConfig
from modelyard.tasks.task import Pipeline, Prepared, Task

TASKS = {"text_classification": "modelyard.tasks.text_classification"}


def load_task(name: str) -> Task:
    """The task of that name. Raises BadConfig with the names there are."""
    if name not in TASKS:
        raise BadConfig(f"there is no task {name!r}", next=f"choose one of: {', '.join(sorted(TASKS))}")
    task = importlib.import_module(TASKS[name]).TASK
    assert isinstance(task, Task)
    return task


__all__ = ["TASKS", "Pipeline", "Prepared", "Task", "load_task"]
