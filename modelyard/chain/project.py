"""modelyard.yaml: one a project, one block a stage, only what differs from the defaults."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from pydantic import Field, PrivateAttr, field_validator, model_validator

from modelyard.annotate.config import AnnotateConfig
from modelyard.config import StageConfig, merge, parse_yaml, read_text, validate
from modelyard.errors import BadConfig, BadInput
from modelyard.stages.augment import AugmentConfig
from modelyard.stages.clean import CleanConfig
from modelyard.stages.evaluate import EvaluateConfig
from modelyard.stages.export import ExportConfig
from modelyard.stages.ingest import IngestConfig
from modelyard.stages.optimize import OptimizeConfig
from modelyard.stages.release import ReleaseConfig
from modelyard.stages.split import SplitConfig
from modelyard.stages.train import TrainConfig
from modelyard.tasks import TASKS, is_own, load_task
from modelyard.training.keras_base import place_of

FILE = "modelyard.yaml"


class Project(StageConfig):
    """The whole file. `data` is a path relative to the file."""

    name: str = Field("model", pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")
    task: str = "text_classification"
    data: str | None = None
    ingest: IngestConfig = IngestConfig()
    clean: CleanConfig = CleanConfig()
    annotate: AnnotateConfig | None = None  # people give the labels
    split: SplitConfig = SplitConfig()
    augment: AugmentConfig = AugmentConfig()
    train: TrainConfig = TrainConfig()
    export: ExportConfig = ExportConfig()
    optimize: OptimizeConfig = OptimizeConfig()
    evaluate: EvaluateConfig = EvaluateConfig()
    release: ReleaseConfig = ReleaseConfig()

    _folder: Path = PrivateAttr(default_factory=Path.cwd)
    _file: str | None = PrivateAttr(None)
    _lines: dict[tuple[str | int, ...], int] = PrivateAttr(default_factory=dict)

    @field_validator("task")
    @classmethod
    def _known_task(cls, value: str) -> str:
        if value not in TASKS and not is_own(value):
            raise ValueError(f"task must be one of {', '.join(sorted(TASKS))}, or the folder of your own: ./{value}")
        return value

    @model_validator(mode="after")
    def _one_name_and_task(self) -> Project:
        # A stage that runs alone is told its own block only.
        if "task" in self.model_fields_set and self.train.task != self.task:
            raise ValueError(f"task is {self.task} and train.task is {self.train.task}; leave train.task out")
        if "task" in self.model_fields_set and self.ingest.task != self.task:
            raise ValueError(f"task is {self.task} and ingest.task is {self.ingest.task}; leave ingest.task out")
        if "name" in self.model_fields_set and self.export.name != self.name:
            raise ValueError(f"name is {self.name} and export.name is {self.export.name}; leave export.name out")
        return self

    def allowed_code(self) -> frozenset[str]:
        """The digest of the user's own task that the project names: its code may run. Raises BadConfig."""
        return frozenset({str(load_task(self.task).code)} if is_own(self.task) else ())

    def place(self, key: str) -> str:
        """Where a key was said, as errors name it: file, line, key."""
        line = self._lines.get(tuple(key.split(".")))
        return f"{self._file}, line {line}, key {key}" if self._file and line else key

    def source(self) -> Path:
        """The data file or folder. Raises BadInput when none is named or it is not there."""
        if self.data is None:
            raise BadInput("no data is named", next=f"modelyard run DATA, or write `data: reviews.csv` in {FILE}")
        path = self.source_path()
        if not path.exists():
            raise BadInput(f"{self.data} does not exist", where=str(path), next="check the path")
        return path

    def source_path(self) -> Path:
        """Where the data lie, whether they are there or not."""
        return self.beside(self.data or "")

    def beside(self, path: str) -> Path:
        """A path that the project names: it is seen from its file."""
        return self._folder / path


def name_of(data: str) -> str:
    """A name for models trained on a file: its stem, with what a name may not hold replaced."""
    stem = Path(data).stem if Path(data).suffix else Path(data).name
    return re.sub(r"[^A-Za-z0-9_-]+", "-", stem).strip("-_")[:63] or "model"


def load_project(
    folder: Path,
    data: str | None = None,
    settings: dict[str, Any] | None = None,
    file: Path | None = None,
    *,
    read_file: bool = True,
    kind: type[Project] = Project,
) -> Project:
    """The project of a folder: its modelyard.yaml if there is one (and `read_file`), `--set` and DATA on top.

    kind: the blocks that there are. Raises BadConfig that names file, line and key.
    """
    path = file or folder / FILE
    value: Any = {}
    lines: dict[tuple[str | int, ...], int] = {}
    there = read_file and path.is_file()
    if there:
        value, lines = parse_yaml(read_text(path), path.name)
        value = {} if value is None else value
        if not isinstance(value, dict):
            raise BadConfig(
                f"{path.name} must hold keys and values", where=f"{path.name}, line 1", next="`data: reviews.csv`"
            )
    elif file is not None:
        raise BadConfig(f"{file} does not exist", where=str(file), next="check the path given to --config")
    # A relative path in the file is seen from the file, one on the command line from where the user stands.
    value = _base_seen_from(path.parent, _task_seen_from(path.parent, value))
    if data is not None:
        value = merge(value, {"data": str(Path(data).absolute())})
    value = merge(value, _task_seen_from(Path.cwd(), settings or {}))
    if "name" not in value and value.get("data"):
        value["name"] = name_of(str(value["data"]))
    # Said once at the top, and handed to the stages that need it also when they run alone.
    for block, key, top in (("ingest", "task", "task"), ("train", "task", "task"), ("export", "name", "name")):
        if top in value:
            value = merge({block: {key: value[top]}}, value)
    if value.get("annotate") is not None:
        value = merge({"ingest": {"unlabelled": True}}, value)
    value = merge(_task_defaults(value.get("task"), kind), value)
    project = validate(kind, value, path.name if there else "the command line", lines)
    project._folder = path.parent.absolute()
    project._file, project._lines = (path.name, lines) if there else (None, {})
    return project


def _task_seen_from(folder: Path, value: dict[str, Any]) -> dict[str, Any]:
    """The same settings, the folder of a user's own task absolute."""
    task = value.get("task")
    return {**value, "task": str((folder / task).resolve())} if isinstance(task, str) and is_own(task) else value


def _base_seen_from(folder: Path, value: dict[str, Any]) -> dict[str, Any]:
    """The same settings, the directory or file that training starts from absolute where it lies beside the file."""
    train = value.get("train")
    base = train.get("base") if isinstance(train, dict) else None
    if not isinstance(base, str) or not base or not (folder / place_of(base)).exists():
        return value
    return merge(value, {"train": {"base": str(folder.absolute() / base)}})


def _task_defaults(task: object, kind: type[Project]) -> dict[str, Any]:
    """The settings that fit this task better than the stages' own, of the blocks that there are. A user's own task is
    not loaded here: its code runs when a stage needs it, and not to read a file."""
    if task not in TASKS:
        return {}
    return {block: dict(keys) for block, keys in load_task(str(task)).defaults.items() if block in kind.model_fields}
