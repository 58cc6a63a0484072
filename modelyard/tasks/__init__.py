"""A folder a task. TASKS is the one table; a task's modules are imported when they are asked for."""

from __future__ import annotations

import importlib
import json
from collections.abc import Collection
from pathlib import Path

from modelyard.errors import BadConfig, BadInput, Damaged
from modelyard.store.artifacts import Artifact, write_index
from modelyard.tasks.metric import Metric
from modelyard.tasks.own import code_digest, copy_code, load_folder
from modelyard.tasks.pipeline import Pipeline, Prepared
from modelyard.tasks.task import Task

TASKS = {
    "detection": "modelyard.tasks.detection",
    "image_classification": "modelyard.tasks.image_classification",
    "seq2seq": "modelyard.tasks.seq2seq",
    "tensor": "modelyard.tasks.tensor",
    "text_classification": "modelyard.tasks.text_classification",
    "text_embedding": "modelyard.tasks.text_embedding",
}
CODE = "code"


def is_own(name: str) -> bool:
    """Whether it names a folder, and not one of TASKS."""
    return name not in TASKS and ("/" in name or "\\" in name or name.startswith("."))


def load_task(name: str) -> Task:
    """The task of that name, or the one in that folder. Raises BadConfig with the names there are.

    A folder's code runs: only a name that the user gave (modelyard.yaml, --set) may come here, never one that an
    artifact holds.
    """
    if is_own(name):
        return load_folder(Path(name))
    if name not in TASKS:
        raise BadConfig(
            f"there is no task {name!r}",
            next=f"choose one of: {', '.join(sorted(TASKS))}; or give the folder of your own: ./{name}",
        )
    task = importlib.import_module(TASKS[name]).TASK
    assert isinstance(task, Task)
    return task


def tasks_that_read(columns: Collection[str]) -> list[str]:
    """The tasks all of whose columns, the target too, are there under their public names."""
    tasks = map(load_task, sorted(TASKS))
    return [task.name for task in tasks if task.target and {*task.columns, task.target} <= set(columns)]


def task_of(artifact: Artifact, allowed: Collection[str] = ()) -> Task:
    """The task of a Model or Package; of one that brings its own code only when `allowed` holds the code's digest.

    Raises BadInput that names the digest, Damaged when the code is not what the artifact says.
    """
    code = artifact.info.get(CODE)
    if code is None:
        name = str(artifact.info.get("task"))
        if name not in TASKS:
            raise BadInput(
                f"the {artifact.kind} is of the task {name!r}, which this Modelyard does not have",
                where=str(artifact.path / artifact.index),
                next="upgrade modelyard",
            )
        return load_task(name)
    digest = str(code)
    if digest not in allowed:
        raise BadInput(
            f"the {artifact.kind} brings its own code (task {artifact.info.get('task')}), which was not allowed to run",
            where=str(artifact.path / CODE),
            next=f"read it; if you trust it: `modelyard serve ... --allow-code {digest}`, or for another verb "
            f"--set task={artifact.path / CODE}",
        )
    folder = artifact.path / CODE
    if not folder.is_dir() or code_digest(folder) != digest:
        raise Damaged(
            f"the code in the {artifact.kind} is not what its {artifact.index} says",
            where=str(folder),
            next="copy the whole directory again, from where it was made",
        )
    return load_folder(folder)


def hold_trainable(task: Task, framework: str | None = None) -> None:
    """Raises BadConfig for a task of which models are taken over, and not trained, or not written in that framework."""
    if not task.trainable:
        raise BadConfig(
            f"a model of the task {task.name} is not trained here",
            where="task",
            next="bring one that exists: modelyard release MODEL --data DATA; or modelyard adopt MODEL --out DIR",
        )
    if framework is not None and framework not in task.frameworks:
        raise BadConfig(
            f"models of the task {task.name} are not written in {framework}",
            where="train.framework",
            next=f"set train.framework: {' or '.join(task.frameworks)}",
        )


def carry_code(task: Task, kind: type[Artifact], folder: Path) -> None:
    """An artifact under construction, its index written, takes the code of a user's own task along."""
    if task.folder is None:
        return
    copy_code(task.folder, folder / CODE)
    info = json.loads((folder / kind.index).read_bytes())
    write_index(kind, folder, {**info, CODE: task.code})


__all__ = [
    "CODE",
    "TASKS",
    "Metric",
    "Pipeline",
    "Prepared",
    "Task",
    "carry_code",
    "hold_trainable",
    "is_own",
    "load_task",
    "task_of",
]
