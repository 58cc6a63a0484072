"""What can be known before any long work: packages, the base model, settings that do not go with it."""

from __future__ import annotations

from importlib.util import find_spec

from modelyard.chain.annotation import the_guideline_of
from modelyard.chain.project import Project
from modelyard.chain.steps import index_of, steps_of
from modelyard.errors import BadConfig, EnvironmentProblem, ModelyardError
from modelyard.tasks import hold_trainable, load_task
from modelyard.tasks.training import Learning
from modelyard.training.base import resolve_base

# What the stages from train on import; `modelyard doctor` lists all with their versions.
TRAINING = ("torch", "transformers", "onnx", "onnxscript", "onnxruntime", "sklearn")
TWO_CLASSES = ("no", "yes")


def preflight(project: Project, last: str = "release") -> None:
    """Raises for what would stop the chain at train or later, with the line that says it, before ingest begins."""
    steps = steps_of(project)
    if project.annotate is not None:
        the_guideline_of(project)
    if index_of(last, steps) < index_of("train", steps):
        return
    missing = [name for name in TRAINING if find_spec(name) is None]
    if missing:
        raise EnvironmentProblem(
            f"training needs packages that are not installed: {', '.join(missing)}",
            next="modelyard doctor: it prints the command that installs them",
        )
    task = load_task(project.task)
    try:
        framework = project.train.framework
        hold_trainable(task, framework)
        training = task.training(framework)
        base = resolve_base(project.train.base, training, framework)
        if isinstance(training, Learning) and training.learns(str(base)):
            return  # what its pipeline opens is learned from the data
        # Opens the tokenizer, and holds max_length against the positions that the model has.
        labels = TWO_CLASSES if task.target_field == "label" else ()
        training.pipeline(str(base), labels, project.train.item_size(task))
    except BadConfig as error:
        raise BadConfig(error.message, where=project.place(error.where or "train"), next=error.next) from None
    except ModelyardError as error:
        if error.where in ("train.base", "train.max_length"):
            error.where = project.place(error.where)
        raise
