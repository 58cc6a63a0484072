"""The baselines by the names that tasks call them by."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from modelyard.measure.examples import Examples, read_examples
from modelyard.run import Run
from modelyard.stages.evaluate import pixel_baseline as pixels
from modelyard.stages.evaluate import window_baseline as windows
from modelyard.stages.evaluate.baseline import Baseline
from modelyard.stages.evaluate.memory_baseline import memory_baseline
from modelyard.stages.evaluate.word_baseline import word_baseline
from modelyard.store import Dataset
from modelyard.store.dataset import SPLIT
from modelyard.tasks import Task


@dataclass(frozen=True)
class Kind:
    """metric: the one that its value is of; fit: from train, validation and test rows; nothing: why it answers None;
    most_rows: of the train and the validation side, that it looks at (pictures take much memory)."""

    metric: str
    fit: Callable[[Examples, Examples, Examples], Baseline | None]
    nothing: str
    most_rows: int | None = None


BASELINES: Mapping[str, Kind] = MappingProxyType(
    {
        "memory": Kind("chrf", memory_baseline, "the training texts are blank"),
        "pixels": Kind(
            "accuracy", pixels.pixel_baseline, "the training pictures are of one class alone", pixels.PICTURES
        ),
        "words": Kind("accuracy", word_baseline, "the training texts hold no word, or one class alone"),
        "windows": Kind(
            "map", windows.window_baseline, "the training pictures hold no box, or nothing beside one", windows.PICTURES
        ),
    }
)


def record_baseline(dataset: Dataset, task: Task, test: Examples, run: Run) -> None:
    """The figure `baseline_METRIC`, of a task that has a baseline."""
    if task.baseline is None:
        return
    kind = BASELINES[task.baseline]
    name = f"baseline_{kind.metric}"
    sides = set(dataset.read([SPLIT])[SPLIT].to_pylist()) if dataset.has(SPLIT) else set()
    missing = [side for side in ("train", "validation") if side not in sides]
    if missing:
        run.record(name, None, how=f"not measured: the data have no {' and no '.join(missing)} side")
        return
    run.listener.progress("evaluate: baseline", 0, None)
    train, validation = (read_examples(dataset, task, side, rows=kind.most_rows) for side in ("train", "validation"))
    baseline = kind.fit(train, validation, test)
    if baseline is None:
        run.record(name, None, how=f"not measured: {kind.nothing}")
        return
    run.record(name, baseline.value, how=baseline.how)
