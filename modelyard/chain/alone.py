"""One stage on plain paths, with no project and no workspace around it."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from modelyard import __version__
from modelyard.chain.existing import Existing, adopt_alone
from modelyard.chain.project import Project
from modelyard.chain.steps import AUGMENT, CHAIN, Made
from modelyard.errors import BadInput, Damaged, ModelyardError
from modelyard.run import Listener, Run, Silent
from modelyard.stages.augment import augment
from modelyard.stages.clean import clean
from modelyard.stages.evaluate import evaluate
from modelyard.stages.export import export
from modelyard.stages.ingest import ingest
from modelyard.stages.optimize import optimize
from modelyard.stages.split import split
from modelyard.stages.train import train
from modelyard.store import Artifact, Dataset, Model, Package, Report, Store
from modelyard.store.atomic import hold, publish_directory, write_bytes
from modelyard.store.digests import PROVENANCE, canonical_json
from modelyard.store.journal import Journal
from modelyard.store.materialize import materialize
from modelyard.store.work_folder import work_folder, work_folder_of
from modelyard.training.keras_base import place_of

# What each stage takes from the command line: kinds of input that must be there, and those that may.
TAKES: Mapping[str, tuple[tuple[type[Dataset] | type[Artifact], ...], tuple[type[Artifact], ...]]] = {
    "ingest": ((), ()),
    "clean": ((Dataset,), ()),
    "split": ((Dataset,), ()),
    "augment": ((Dataset,), ()),
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

    A Dataset is written as the Hugging Face layout. Killed, the same command goes on where it was: see `work_folder`.
    Raises BadInput when an input is missing or `out` exists, EnvironmentProblem when another process works at `out`.
    """
    call = partial(_call, stage, paths, project)
    return _alone(stage, paths, out, project, call, listener or Silent(), threads)


def run_adopt(existing: Existing, out: Path, listener: Listener | None = None, threads: int = 2) -> Alone:
    """Adopt a model and write it to `out` in the same way."""
    config = existing.project.adopt
    named = [path for path in (config.data, config.tokenizer) if path is not None and path.exists()]
    paths = [existing.seen.place, *named]
    call = partial(_adopt, existing)
    return _alone("adopt", paths, out, existing.project, call, listener or Silent(), threads)


def _adopt(existing: Existing, run: Run, done: Journal) -> Made:
    return adopt_alone(existing, run)


def _alone(
    stage: str,
    paths: list[Path],
    out: Path,
    project: Project,
    call: Callable[[Run, Journal], Made],
    listener: Listener,
    threads: int,
) -> Alone:
    out = out.absolute()
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        left = work_folder_of(out)
        also = f", and {left.name} beside it, which an unfinished try left" if left.exists() else ""
        raise BadInput(f"{out} is there already", where=str(out), next=f"give another --out, or remove it{also}")
    identity = _identity(stage, [_existing(path) for path in paths], project)
    with _in_use(paths), work_folder(out, identity, listener.say) as work:
        store = Store(work / "store")
        store.clear_abandoned()
        run = Run(store, listener, key=stage, threads=threads, scratch_root=work)
        run.allowed_code = project.allowed_code()
        done = Journal(work / "journal.jsonl", identity)
        with _evidence_kept(stage, run, out):
            made, evidence = _made(stage, call, run, done)
        report = _write_evidence(out, evidence.info)
        if isinstance(made, Dataset):
            parts = len(made.parts)
            materialize(made, out, work, lambda views: run.progress(views, "write", total=parts))
        else:
            if out.exists():
                out.rmdir()
            provenance = made.path / PROVENANCE
            if not provenance.exists():
                provenance.write_bytes(canonical_json({"stage": stage}) + b"\n")
            publish_directory(made.path, out)
            made = type(made)(made.digest, out)
    return Alone(made, evidence, out, report)


def _identity(stage: str, paths: list[Path], project: Project) -> dict[str, Any]:
    """What the output depends on: files by size and time, not by content, since large ones are not read for this."""
    base = place_of(project.train.base)
    return {
        "stage": stage,
        "modelyard": __version__,
        "versions": {step.name: step.version for step in (*CHAIN, AUGMENT)},
        "settings": project.model_dump(mode="json"),
        "code": sorted(project.allowed_code()),
        "inputs": [_as_it_lies(path) for path in paths],
        "base": _as_it_lies(base) if stage == "train" and base.exists() else [],
    }


def _as_it_lies(path: Path) -> list[Any]:
    """Its place, and of every file below it the place, the size and the time."""
    files = sorted(file for file in path.rglob("*") if file.is_file()) if path.is_dir() else [path]
    known = [(file, file.stat()) for file in files]
    return [str(path.resolve()), *([str(file), each.st_size, each.st_mtime_ns] for file, each in known)]


def _made(stage: str, call: Callable[[Run, Journal], Made], run: Run, done: Journal) -> tuple[Made, Report]:
    """The output of the stage and its evidence; those of a try that was killed while it wrote them out."""
    for entry in done.entries:
        if "made" in entry:
            with suppress(Damaged):
                found = _stored(entry["kind"], entry["made"], run.store), run.store.get(Report, entry["evidence"])
                run.say(f"{stage} was done when a try before this one broke off")
                return found
    made = call(run, done)
    evidence = made if isinstance(made, Report) else run.report(stage)
    done.add({"kind": type(made).__name__, "made": made.digest, "evidence": evidence.digest})
    return made, evidence


def _stored(kind: str, digest: str, store: Store) -> Made:
    artifact = next((each for each in (Model, Package, Report) if each.__name__ == kind), None)
    return store.dataset(digest) if artifact is None else store.get(artifact, digest)


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


def _call(stage: str, paths: list[Path], project: Project, run: Run, done: Journal) -> Made:
    if stage == "ingest":
        if len(paths) != 1:
            raise BadInput(f"ingest takes one file or folder, {len(paths)} were given")
        return ingest(paths[0], project.ingest, run)
    given = _open(stage, paths, project, run, done)
    data = cast(Dataset, given.get(Dataset))
    model, package = cast(Model, given.get(Model)), cast(Package, given.get(Package))
    match stage:
        case "clean":
            return clean(data, project.clean, run)
        case "split":
            return split(data, project.split, run)
        case "augment":
            return augment(data, project.augment, run)
        case "train":
            return train(data, project.train, run)
        case "export":
            return export(model, data, project.export, run)
        case "optimize":
            return optimize(package, data, project.optimize, run)
        case "evaluate":
            return evaluate(package, data, project.evaluate, run, model=model)
    raise BadInput(f"{stage} does not run alone", next=f"one of {', '.join(TAKES)}")


def _open(stage: str, paths: list[Path], project: Project, run: Run, done: Journal) -> dict[type, Made]:
    needed, optional = TAKES[stage]
    by_kind: dict[type, Path] = {}
    for path in paths:
        kind = kind_of(path)
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
            opened[kind] = _read(path, project, run, done)
    return opened


def _read(path: Path, project: Project, run: Run, done: Journal) -> Dataset:
    """Data as a Dataset: read once, whatever kills the stage afterwards."""
    for entry in done.entries:
        if entry.get("input") == str(path):
            with suppress(Damaged):
                return run.store.dataset(entry["dataset"])
    # Its own Run: the figures of reading the input are not those of this stage.
    own = Run(run.store, run.listener, key="input", threads=run.threads, cancelled=run.cancelled)
    dataset = ingest(path, project.ingest, own)
    done.add({"input": str(path), "dataset": dataset.digest})
    run.store.drop_scratch(own.key)
    return dataset


def _usage(stage: str) -> str:
    needed, optional = TAKES[stage]
    words = [kind.__name__.upper() for kind in needed] + [f"[{kind.__name__.upper()}]" for kind in optional]
    return f"modelyard {stage} {' '.join(words)} --out DIR"


def _existing(path: Path) -> Path:
    if not path.exists():
        raise BadInput(f"{path} does not exist", where=str(path), next="check the path")
    return path
