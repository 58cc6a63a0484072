"""The chain from Python: each stage on plain paths, and the whole of it in a folder.

    import modelyard as my

    my.clean("reviews.csv", out="cleaned")
    my.split("cleaned", out="sides", shares={"train": 0.8, "validation": 0.1, "test": 0.1})

Settings are those of the stage's block in modelyard.yaml. Errors are those of `modelyard.errors`; what a stage measured
is in the `evidence` of what it answers, also when nothing is printed.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from modelyard.annotate.records import the_guideline
from modelyard.annotate.taking import Taken
from modelyard.chain.alone import Alone, run_adopt, run_alone
from modelyard.chain.annotate_verbs import agreement as agreement_as_it_stands
from modelyard.chain.annotate_verbs import agreement_of_files, opened
from modelyard.chain.annotation import take_file
from modelyard.chain.existing import find_existing
from modelyard.chain.project import load_project
from modelyard.chain.release_existing import Released, release_existing
from modelyard.chain.runner import ChainOutcome, run_chain
from modelyard.chain.workspace import Workspace
from modelyard.config import merge
from modelyard.environment import usable_cores
from modelyard.run import Listener, Run

PathLike = str | Path


def _alone(
    stage: str, inputs: tuple[PathLike, ...], out: PathLike, threads: int | None, settings: dict[str, Any]
) -> Alone:
    project = load_project(Path(out).absolute().parent, settings={stage: settings}, read_file=False)
    return run_alone(stage, [Path(path) for path in inputs], Path(out), project, threads=threads or usable_cores())


def adopt(source: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """A Hugging Face directory or hub id to a Model, an .onnx file to a Package.

    What its files do not say is told: `task`, `tokenizer`, `labels`, `data` and the other settings of AdoptConfig.
    Raises BadInput for what cannot be taken over: pickles, code of its own, links out of its folder.
    """
    name = {"name": settings["name"]} if "name" in settings else {}
    existing = find_existing(str(source), {**name, "adopt": settings})
    return run_adopt(existing, Path(out), threads=threads or usable_cores())


def ingest(source: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """Read CSV, TSV, JSON Lines, Parquet, or a folder (Hugging Face, COCO, YOLO, pictures) into a Dataset under `out`.

    Raises BadInput when the source cannot be read or its columns are not clear.
    """
    return _alone("ingest", (source,), out, threads, settings)


def clean(data: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """Repair and drop rows, each with its reason. Raises GateFailed when more than `max_dropped` would go."""
    return _alone("clean", (data,), out, threads, settings)


def split(data: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """Train, validation and test without leakage. Raises BadInput when a side would lack a class."""
    return _alone("split", (data,), out, threads, settings)


def augment(data: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """Further rows for the train side of a Dataset of pictures: `copies` of each, their boxes moved with them."""
    return _alone("augment", (data,), out, threads, settings)


def train(data: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """Fine-tune `base` on a split Dataset into a Model that `from_pretrained(out)` opens."""
    return _alone("train", (data,), out, threads, settings)


def export(model: PathLike, data: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """A Model to a Package. Raises GateFailed, with nothing written to `out`, when the graph answers differently."""
    return _alone("export", (model, data), out, threads, settings)


def optimize(package: PathLike, data: PathLike, *, out: PathLike, threads: int | None = None, **settings: Any) -> Alone:
    """Fused and INT8 variants, measured as served on this machine; kept when faster and still right."""
    return _alone("optimize", (package, data), out, threads, settings)


def evaluate(
    package: PathLike,
    data: PathLike,
    model: PathLike | None = None,
    *,
    out: PathLike,
    threads: int | None = None,
    **settings: Any,
) -> Alone:
    """Accuracy, calibration, slices, latency, throughput and cost; beside the eager `model` when it is given."""
    inputs = (package, data) if model is None else (package, data, model)
    return _alone("evaluate", inputs, out, threads, settings)


def release(
    model: PathLike,
    data: PathLike,
    *,
    out: PathLike,
    settings: dict[str, Any] | None = None,
    threads: int | None = None,
    listener: Listener | None = None,
    **told: Any,
) -> Released:
    """Gates, a faster package and the report for a model that exists, in a new folder `out`.

    told: what its files do not say: `task`, `tokenizer`, `labels`, `name`; settings: of the stages, by their blocks.
    A failed gate or bad rows are in `chain.error` of the answer; nothing is raised for them.
    """
    name = {"name": told["name"]} if "name" in told else {}
    existing = find_existing(str(model), merge(settings or {}, {**name, "adopt": told}), Path(data))
    return release_existing(existing, Path(out), listener, threads=threads or usable_cores())


def run_project(
    data: PathLike | None = None,
    *,
    folder: PathLike = ".",
    workspace: PathLike | None = None,
    first: str | None = None,
    last: str = "release",
    settings: dict[str, Any] | None = None,
    threads: int | None = None,
    listener: Listener | None = None,
) -> ChainOutcome:
    """What `modelyard run` does in `folder`: settings from its modelyard.yaml, results in its .modelyard.

    A failed gate, bad input or people who are still to label are in the answer's `error`; nothing is raised for it.
    """
    project = load_project(Path(folder), None if data is None else str(data), settings)
    with _opened(folder, workspace) as place:
        return run_chain(project, place, listener, first=first, last=last, threads=threads or usable_cores())


def import_labels(
    *files: PathLike, folder: PathLike = ".", workspace: PathLike | None = None, guideline: str | None = None
) -> list[Taken]:
    """Take in files that people filled in: what was taken of each, and its rows that were not (`refused`).

    Raises BadInput for what is no work file. What is taken is safe when this returns.
    """
    project = load_project(Path(folder))
    with _opened(folder, workspace) as place:
        with place.ledger.reading() as connection:
            name = the_guideline(connection, guideline)
        return [take_file(place, name, Path(path), project) for path in files]


def agreement(
    *files: PathLike,
    arbiter: PathLike | None = None,
    gold: PathLike | None = None,
    folder: PathLike = ".",
    workspace: PathLike | None = None,
) -> Run:
    """What labels are worth, in `figures` and `details` of the answer: of plain files with columns id and label, one
    for each person; without any, of the project in `folder` as it stands."""
    if files:
        others = [None if path is None else Path(path) for path in (arbiter, gold)]
        return agreement_of_files([Path(path) for path in files], *others)
    with _opened(folder, workspace) as place:
        return agreement_as_it_stands(opened(load_project(Path(folder)), place))


@contextmanager
def _opened(folder: PathLike, workspace: PathLike | None) -> Iterator[Workspace]:
    place = Workspace(Path(workspace) if workspace is not None else Path(folder) / ".modelyard")
    try:
        yield place
    finally:
        place.close()
