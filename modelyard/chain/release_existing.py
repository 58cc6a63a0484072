"""Release a model that exists: its rows, gates, a faster package and the report, with no project around it."""

from __future__ import annotations

import json
import shlex
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.chain.existing import Existing
from modelyard.chain.runner import ChainOutcome, StageOutcome, run_chain
from modelyard.chain.steps import CHAIN, Inputs, Step, index_of
from modelyard.chain.two_sides import two_sides
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadInput
from modelyard.run import Listener, Run
from modelyard.stages.adopt import STAGE_VERSION as ADOPT_VERSION
from modelyard.stages.adopt import source_digest
from modelyard.stages.evaluate import STAGE_VERSION as EVALUATE_VERSION
from modelyard.stages.evaluate import evaluate
from modelyard.stages.export import STAGE_VERSION as EXPORT_VERSION
from modelyard.stages.export import export
from modelyard.stages.optimize import STAGE_VERSION as OPTIMIZE_VERSION
from modelyard.stages.optimize import optimize
from modelyard.stages.release import STAGE_VERSION as RELEASE_VERSION
from modelyard.stages.release import Commands, hold_gates, release
from modelyard.store import Dataset, Model, Package, Report
from modelyard.store.atomic import new_directory, publish_directory
from modelyard.store.digests import PROVENANCE
from modelyard.store.work_folder import work_folder_of
from modelyard.tasks import load_task

PACKAGE, REPORT = "package", "report.json"
OPTIONS = ("name", "task", "tokenizer", "labels")  # all else is told by --set
OVERRIDE = "release.override"
EARLY = ("ingest", "adopt", "sides")
VERSION = 1  # outside a project nothing counts them


@dataclass(frozen=True)
class Released:
    """chain: what every stage did; out: the folder with report and package, None when no report was come to;
    package: in it, None when a gate kept it back."""

    chain: ChainOutcome
    out: Path | None
    package: Path | None

    @property
    def report(self) -> Path | None:
        return None if self.out is None else self.out / "report.html"


def release_existing(
    existing: Existing,
    out: Path,
    listener: Listener | None = None,
    *,
    threads: int = 2,
    told: Callable[[StageOutcome], None] = lambda outcome: None,
    cancelled: threading.Event | None = None,
) -> Released:
    """Adopt, export when it is a Model, optimize, evaluate and release; write report and package to `out`.

    A failed gate, bad data and a full disk are in the outcome's error. Killed or failed, the same call goes on behind
    the stages that are done. Raises BadInput when `out` holds something else, or the task has no figure to judge by.
    """
    typed, out = out, out.absolute()
    hold_free(out)
    if load_task(existing.project.task).metric is None:
        raise BadInput(
            f"a {existing.project.task} package has nothing to be right about: there is no figure to release it by",
            where=existing.source,
            next=f"modelyard adopt {existing.source} --out DIR, and modelyard serve DIR; an .onnx that reads text is "
            "released with --tokenizer DIR",
        )
    place = Workspace(work_folder_of(out), instead="another --out")
    try:
        steps = _steps(existing, typed)
        chain = run_chain(
            existing.project, place, listener, steps=steps, threads=threads, told=told, cancelled=cancelled
        )
        return _write(chain, place, out)
    finally:
        place.close()


def hold_free(out: Path) -> None:
    """Raises BadInput where something lies that is no release that was refused."""
    if not out.exists() or (out.is_dir() and (not any(out.iterdir()) or _refused(out))):
        return
    raise BadInput(f"{out} is there already", where=str(out), next="give another --out, or remove it")


def _refused(out: Path) -> bool:
    """Whether it is the report of a release whose gates failed: the next try takes its place."""
    try:
        return json.loads((out / REPORT).read_bytes())["released"] is False and not (out / PACKAGE).exists()
    except (OSError, ValueError, KeyError, TypeError):
        return False


def _steps(existing: Existing, out: Path) -> Sequence[Step]:
    """The line of stages for what the model is."""
    made = existing.seen.makes
    exported = "export" if made is Model else "adopt"
    again = _again(existing, out)
    serve = shlex.join(["modelyard", "serve", str(out / PACKAGE), *_allowed(existing)])
    commands = Commands(serve, again, f"{again} --set '{OVERRIDE}=WHY'")

    def adopted(inputs: Inputs, run: Run) -> Model | Package:
        return existing.adopt(run, inputs.made["ingest"])

    def judged(inputs: Inputs, run: Run) -> Dataset:
        _hold_labels(inputs.made["ingest"], inputs.made["adopt"])
        return two_sides(inputs.made["ingest"], existing.project.sides, run)

    def model(inputs: Inputs) -> Model | None:
        found = inputs.made["adopt"]
        return found if isinstance(found, Model) else None

    ingested = CHAIN[index_of("ingest")]
    steps = [
        ingested,
        Step(
            "adopt",
            made,
            ADOPT_VERSION,
            ("ingest",),
            adopted,
            outside=lambda inputs: {"source": source_digest(existing.seen)},
            outside_keys=frozenset({"tokenizer", "data"}),
        ),
        Step("sides", Dataset, 1, ("ingest", "adopt"), judged),
        Step(
            "export",
            Package,
            EXPORT_VERSION,
            ("adopt", "sides"),
            lambda inputs, run: export(inputs.made["adopt"], inputs.made["sides"], inputs.project.export, run),
        ),
        Step(
            "optimize",
            Package,
            OPTIMIZE_VERSION,
            (exported, "sides"),
            lambda inputs, run: optimize(inputs.made[exported], inputs.made["sides"], inputs.project.optimize, run),
            measures=True,
        ),
        Step(
            "evaluate",
            Report,
            EVALUATE_VERSION,
            ("optimize", "sides", "adopt"),
            lambda inputs, run: evaluate(
                inputs.made["optimize"], inputs.made["sides"], inputs.project.evaluate, run, model=model(inputs)
            ),
            measures=True,
        ),
        Step(
            "release",
            Report,
            RELEASE_VERSION,
            ("optimize",),
            lambda inputs, run: release(
                inputs.made["optimize"], inputs.reports, inputs.project.release, run, VERSION, commands=commands
            ),
            reads_reports=True,
            outside=lambda inputs: {"serve": commands.serve, "again": commands.again},
            effect=lambda inputs, run, report: hold_gates(report, run, inputs.project.release.override),
        ),
    ]
    return [step for step in steps if step.name != "export" or made is Model]


def _allowed(existing: Existing) -> list[str]:
    """Code that the package brings is allowed by its digest."""
    return [word for digest in sorted(existing.project.allowed_code()) for word in ("--allow-code", digest)]


def _again(existing: Existing, out: Path) -> str:
    """The command that was given, as a person would type it again."""
    words = ["modelyard", "release", existing.source, "--data", str(existing.data), "--out", str(out)]
    for key, value in sorted(_flat(existing.given)):
        option = key.removeprefix("adopt.")
        if option in OPTIONS:
            words += [f"--{option}", ",".join(value) if isinstance(value, (list, tuple)) else str(value)]
        elif key != OVERRIDE:
            words += ["--set", f"{key}={value if isinstance(value, (str, Path)) else json.dumps(value)}"]
    return shlex.join(words)


def _flat(settings: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """`a.b` and its value, for every value that is no block itself."""
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        else:
            yield f"{prefix}{key}", value


def _hold_labels(dataset: Dataset, made: Model | Package) -> None:
    """Raises BadInput where the rows have a class that the model does not, before anything is measured."""
    labels = [str(label) for label in made.info.get("labels") or []]
    if not labels:
        return
    target = dataset.the("target", "label")
    strange = [name for name in target.classes or () if name not in labels]
    if not strange:
        return
    folded = {name.casefold(): name for name in target.classes or ()}
    renamed = [folded.get(label.casefold(), label) for label in labels]
    say = ",".join(renamed) if set(renamed) >= set(target.classes or ()) else ",".join(target.classes or ())
    raise BadInput(
        f"the rows have the class {strange[0]!r}, the model knows {', '.join(labels[:10])}",
        where=f"column {target.name}",
        next=f"say the model's classes by the names of the rows, in the order of its logits (perhaps --labels {say}); "
        "or take such rows out",
    )


def _write(chain: ChainOutcome, place: Workspace, out: Path) -> Released:
    """Report and package under `out`, whole or not at all; the work folder goes when all is well."""
    released, optimized = chain.stage("release"), chain.stage("optimize")
    if isinstance(chain.error, BadInput) and chain.stages[-1].stage in EARLY:
        shutil.rmtree(place.root, ignore_errors=True)  # it would only fail again, and what is done is done quickly
    if released is None or released.output is None or optimized is None or optimized.output is None:
        return Released(chain, None, None)
    passed = chain.error is None
    assert isinstance(released.output, Report) and isinstance(optimized.output, Package)
    with new_directory(out.parent) as folder, new_directory(out.parent) as aside:
        shutil.copytree(released.output.path, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(PROVENANCE))
        if passed:
            shutil.copytree(optimized.output.path, folder / PACKAGE)
        if out.exists():
            out.rename(aside / out.name)
        publish_directory(folder, out)
    if passed:
        shutil.rmtree(place.root, ignore_errors=True)
    return Released(chain, out, out / PACKAGE if passed else None)
