"""One stage on plain paths, with no project and no workspace around it."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from modelyard.chain.existing import Existing, adopt_alone
from modelyard.chain.project import Project
from modelyard.chain.steps import Made
from modelyard.errors import BadInput, ModelyardError
from modelyard.run import Listener, Run, Silent
from modelyard.stages.clean import clean
from modelyard.stages.evaluate import evaluate
from modelyard.stages.export import export
from modelyard.stages.ingest import ingest
from modelyard.stages.optimize import optimize
from modelyard.stages.split import split
from modelyard.stages.train import train
from modelyard.store import Artifact, Dataset, Model, Package, Report, Store
from modelyard.store.atomic import hold, new_directory, publish_directory, write_bytes
from modelyard.store.digests import PROVENANCE, canonical_json
from modelyard.store.materialize import materialize

# What each stage takes from the command line: kinds of input that must be there, and those that may.
TAKES: Mapping[str, tuple[tuple[type[Dataset] | type[Artifact], ...], tuple[type[Artifact], ...]]] = {
    "ingest": ((), ()),
    "clean": ((Dataset,), ()),
    "split": ((Dataset,), ()),
    "train": ((Dataset,), ()),
    "export": ((Model, Dataset), ()),
    "optimize": ((Package, Dataset), ()),
    "evaluate": ((Package, Dataset), (Model,)),
}


@dataclass(frozen=True)
class Alone:
    """What one stage made: its output under `out`, its evidence in `report` (a JSON file beside it)."""

    made: Made
    evidence: Report
    out: Path
    report: Path


def kind_of(path: Path) -> type[Dataset] | type[Artifact]:
    """What a path holds: a Model, a Package, a Report by its index file, else data."""
    for kind in (Model, Package, Report):
        if (path / kind.index).is_file():
            return kind
    return Dataset


def run_alone(
    stage: str, paths: list[Path], out: Path, project: Project, listener: Listener | None = None, threads: int = 2
) -> Alone:
    """Run one stage on files and folders and write its output to `out`, whole or not at all.

    A Dataset is written as the Hugging Face layout. Raises BadInput when an input is missing or `out` exists.
    """
    return _alone(stage, paths, out, project, lambda run: _call(stage, paths, project, run), listener, threads)


def run_adopt(existing: Existing, out: Path, listener: Listener | None = None, threads: int = 2) -> Alone:
    """Adopt a model and write it to `out` in the same way."""
    project = existing.project
    return _alone(
        "adopt", [existing.seen.place], out, project, lambda run: adopt_alone(existing, run), listener, threads
    )


def _alone(
    stage: str,
    paths: list[Path],
    out: Path,
    project: Project,
    call: Callable[[Run], Made],
    listener: Listener | None,
    threads: int,
) -> Alone:
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise BadInput(f"{out} is there already", where=str(out), next="give another --out, or remove it")
    out.parent.mkdir(parents=True, exist_ok=True)
    # On the disk of the output, so that the last step is a rename.
    with new_directory(out.parent) as folder, _in_use(paths):
        # Beside the output, where the same command finds its checkpoints again after a crash.
        work = out.with_name(f".{out.name}.work")
        run = Run(Store(folder), listener or Silent(), key=stage, threads=threads, scratch_root=work)
        run.allowed_code = project.allowed_code()
        with _evidence_kept(stage, run, out):
            made = call(run)
        evidence = made if isinstance(made, Report) else run.report(stage)
        report = _write_evidence(out, evidence.info)
        if isinstance(made, Dataset):
            materialize(made, out)
        else:
            if out.exists():
                out.rmdir()
            provenance = made.path / PROVENANCE
            if not provenance.exists():
                provenance.write_bytes(canonical_json({"stage": stage}) + b"\n")
            publish_directory(made.path, out)
            made = type(made)(made.digest, out)
        shutil.rmtree(work, ignore_errors=True)
    return Alone(made, evidence, out, report)


@contextmanager
def _in_use(paths: list[Path]) -> Iterator[None]:
    """Inputs may lie in a workspace: `modelyard gc` does not free what is held."""
    handles = [hold(path) for path in paths if path.is_dir()]
    try:
        yield
    finally:
        for handle in handles:
            os.close(handle)


@contextmanager
def _evidence_kept(stage: str, run: Run, out: Path) -> Iterator[None]:
    """When the stage fails, what it measured until then is still written."""
    try:
        yield
    except ModelyardError as error:
        error.stage = stage
        if run.recorded:
            error.evidence = _write_evidence(out, run.report(stage).info)
        raise


def _write_evidence(out: Path, info: Mapping[str, Any]) -> Path:
    path = out.with_name(f"{out.name}.report.json")
    write_bytes(path, canonical_json(dict(info)) + b"\n")
    return path


def _call(stage: str, paths: list[Path], project: Project, run: Run) -> Made:
    if stage == "ingest":
        if len(paths) != 1:
            raise BadInput(f"ingest takes one file or folder, {len(paths)} were given")
        return ingest(_existing(paths[0]), project.ingest, run)
    given = _open(stage, paths, project, run)
    data = cast(Dataset, given.get(Dataset))
    model, package = cast(Model, given.get(Model)), cast(Package, given.get(Package))
    match stage:
        case "clean":
            return clean(data, project.clean, run)
        case "split":
            return split(data, project.split, run)
        case "train":
            return train(data, project.train, run)
        case "export":
            return export(model, data, project.export, run)
        case "optimize":
            return optimize(package, data, project.optimize, run)
        case "evaluate":
            return evaluate(package, data, project.evaluate, run, model=model)
    raise BadInput(f"{stage} does not run alone", next=f"one of {', '.join(TAKES)}")


def _open(stage: str, paths: list[Path], project: Project, run: Run) -> dict[type, Made]:
    needed, optional = TAKES[stage]
    by_kind: dict[type, Path] = {}
    for path in paths:
        kind = kind_of(_existing(path))
        if kind in by_kind:
            raise BadInput(f"two inputs are a {kind.__name__}: {by_kind[kind]} and {path}")
        if kind not in (*needed, *optional):
            raise BadInput(f"{stage} takes no {kind.__name__}", where=str(path), next=_usage(stage))
        by_kind[kind] = path
    for kind in needed:
        if kind not in by_kind:
            raise BadInput(f"{stage} needs a {kind.__name__}", next=_usage(stage))
    opened: dict[type, Made] = {}
    for kind, path in by_kind.items():
        if issubclass(kind, Artifact):
            opened[kind] = kind.open(path)
        else:
            # Its own Run: the figures of reading the input are not those of this stage.
            opened[kind] = ingest(path, project.ingest, Run(run.store, run.listener, key="input", threads=run.threads))
    return opened


def _usage(stage: str) -> str:
    needed, optional = TAKES[stage]
    words = [kind.__name__.upper() for kind in needed] + [f"[{kind.__name__.upper()}]" for kind in optional]
    return f"modelyard {stage} {' '.join(words)} --out DIR"


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BadInput(f"{path} does not exist", where=str(path), next="check the path")
    return path
