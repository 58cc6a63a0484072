"""A model that exists: its settings, once its own files have said what it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.chain.project import Project, load_project, name_of
from modelyard.chain.two_sides import SidesConfig
from modelyard.config import merge, validate
from modelyard.run import Run
from modelyard.stages.adopt import AdoptConfig, Seen, adopt, look
from modelyard.stages.ingest import ingest
from modelyard.store import Dataset, Model, Package
from modelyard.tasks import is_own

NAMELESS = ("model", "onnx", "model_quantized")
INPUTS = ".npz"  # tensors by name; any other data are rows


class Settings(Project):
    """Those of a project, what adopting may be told, and how rows to judge by are parted."""

    adopt: AdoptConfig = AdoptConfig()
    sides: SidesConfig = SidesConfig()


@dataclass(frozen=True)
class Existing:
    """source, given, data: what was said of it; seen: what it is; project: the settings of its stages."""

    source: str
    seen: Seen
    project: Settings
    given: dict[str, Any]
    data: Path | None = None

    def rows(self, data: Path, run: Run) -> Dataset:
        """The rows of a file by the columns of the model's task."""
        return ingest(data, self.project.ingest, run)

    def adopt(self, run: Run, dataset: Dataset | None = None) -> Model | Package:
        return adopt(self.seen, self.project.adopt, run, dataset)


def find_existing(source: str, settings: dict[str, Any], data: Path | None = None) -> Existing:
    """Look at the source, and make the settings fit its task. Raises BadInput, or BadConfig that names the key.

    settings: by blocks, as in modelyard.yaml; data: the rows that it is to be judged by.
    """
    given, settings = settings, merge({"name": _name(source)}, settings)
    config = validate(AdoptConfig, settings.get("adopt", {}), "the command line")
    seen = look(source, config)
    # A user's own task is where the user said, not where a file says: its code runs.
    task = config.task if config.task is not None and is_own(config.task) else seen.task
    named = {"task": task, "adopt": {"name": settings["name"]}}
    rows = None if data is None else str(data)
    project = load_project(Path.cwd(), rows, merge(named, settings), read_file=False, kind=Settings)
    assert isinstance(project, Settings)
    return Existing(source, seen, project, given, data)


def _name(source: str) -> str:
    """By the file or folder, or what it lies in where every model's is called alike."""
    path = Path(source.rstrip("/"))
    while path.stem.lower() in NAMELESS and path.parent.name:
        path = path.parent
    return name_of(str(path))


def adopt_alone(existing: Existing, run: Run) -> Model | Package:
    """Adopt with no project around it: rows that were named are read by the columns of the task."""
    data = existing.project.adopt.data
    if data is None or data.suffix.lower() == INPUTS:
        return existing.adopt(run)
    # Its own Run: the figures of reading the rows are not those of adopting.
    return existing.adopt(run, existing.rows(data, Run(run.store, run.listener, key="input", threads=run.threads)))
