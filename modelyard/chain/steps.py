"""The line of stages: what each takes, what it makes, and which of them act on the world."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from modelyard.chain.annotation import Annotation, open_annotation
from modelyard.chain.grown_source import before_it_grew, earlier_ingest
from modelyard.chain.project import Project
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadConfig
from modelyard.run import Run
from modelyard.stages.annotate import STAGE_VERSION as ANNOTATE_VERSION
from modelyard.stages.annotate import Labels, annotate
from modelyard.stages.augment import STAGE_VERSION as AUGMENT_VERSION
from modelyard.stages.augment import augment
from modelyard.stages.clean import STAGE_VERSION as CLEAN_VERSION
from modelyard.stages.clean import clean
from modelyard.stages.evaluate import STAGE_VERSION as EVALUATE_VERSION
from modelyard.stages.evaluate import evaluate
from modelyard.stages.export import STAGE_VERSION as EXPORT_VERSION
from modelyard.stages.export import export
from modelyard.stages.ingest import STAGE_VERSION as INGEST_VERSION
from modelyard.stages.ingest import ingest, source_digest
from modelyard.stages.optimize import STAGE_VERSION as OPTIMIZE_VERSION
from modelyard.stages.optimize import optimize
from modelyard.stages.release import STAGE_VERSION as RELEASE_VERSION
from modelyard.stages.release import hold_gates, release
from modelyard.stages.split import STAGE_VERSION as SPLIT_VERSION
from modelyard.stages.split import split
from modelyard.stages.train import STAGE_VERSION as TRAIN_VERSION
from modelyard.stages.train import train
from modelyard.store import Artifact, Dataset, Model, Package, Report
from modelyard.store.digests import digest_json
from modelyard.tasks import load_task
from modelyard.training.base import base_digest, resolve_base

Made = Dataset | Artifact


@dataclass(frozen=True)
class Inputs:
    """What a step is handed: the project, the outputs of earlier steps by name, and their Reports."""

    project: Project
    made: Mapping[str, Any]
    reports: Mapping[str, Report]
    workspace: Workspace

    @cached_property
    def source_digest(self) -> str:
        """Of the data; a large file is read for it once a step."""
        return source_digest(self.project.source(), self.project.ingest.format)

    @cached_property
    def ingest_outside(self) -> dict[str, str]:
        """What the Dataset of the data depends on beside settings; what was read before is read for it once a step."""
        return _ingest_outside(self)

    @cached_property
    def annotation(self) -> Annotation:
        """What people label and by which guideline; read once a step."""
        return open_annotation(self.project, self.workspace, self.made["clean"])

    @cached_property
    def labels(self) -> Labels:
        """What people have said by now; read once a step, so that its key is of what the stage is handed, whatever is
        imported meanwhile."""
        return self.annotation.labels(self.annotation.board())

    @property
    def labelled(self) -> Dataset:
        """The cleaned rows, with the labels that people gave where they did."""
        labelled: Dataset = self.made.get("annotate") or self.made["clean"]
        return labelled


@dataclass(frozen=True)
class Step:
    """One stage in the chain.

    takes: the earlier steps whose outputs go in. reads_reports: it also reads every earlier Report.
    outside: content beside those that its result depends on (name to digest), given by the keys `outside_keys`, or
    keys that do not change the result.
    measures: it holds measured time: `--remeasure` makes it again.
    opens: what it does to the world before, from which its key may follow: run every time, idempotent, never cached; it
    raises Waiting while others have something to do.
    effect: the same afterwards.
    """

    name: str
    makes: type[Dataset] | type[Model] | type[Package] | type[Report]
    version: int
    takes: tuple[str, ...]
    call: Callable[[Inputs, Run], Made]
    reads_reports: bool = False
    outside: Callable[[Inputs], dict[str, str]] = lambda inputs: {}
    outside_keys: frozenset[str] = frozenset()
    measures: bool = False
    opens: Callable[[Inputs, Run], None] | None = None
    effect: Callable[[Inputs, Run, Report], None] | None = None


def _version(inputs: Inputs) -> int:
    """The version that the package has, or will have."""
    return inputs.workspace.ledger.version_of(inputs.project.name, inputs.made["optimize"].digest)


def _history(inputs: Inputs) -> list[Report]:
    """The release Reports of earlier versions that are still in the store, oldest first."""
    store, version = inputs.workspace.store, _version(inputs)
    return [
        store.get(Report, minted.report)
        for minted in inputs.workspace.ledger.versions(inputs.project.name)
        if minted.version < version and store.has(Report, minted.report)
    ]


def _mint(inputs: Inputs, run: Run, report: Report) -> None:
    """Hold the gates; mint the version; a new one takes the alias over."""
    project, ledger = inputs.project, inputs.workspace.ledger
    hold_gates(report, run, project.release.override)
    package: Package = inputs.made["optimize"]
    passed = all(gate["passed"] for gate in report.info["gates"])
    alias = project.release.alias
    minted = ledger.mint(project.name, package.digest, report.digest, passed, project.release.override, alias)
    stands = ledger.alias(project.name, alias)
    if stands != minted.version:
        # Running the chain again must not take back what a person did.
        run.warn(
            f"{alias} stays at version {stands}: version {minted.version} was there before   "
            f"(move it: modelyard promote {project.name} {minted.version})"
        )
    run.details["version"] = minted.version
    run.details["alias"] = project.release.alias


def _task(project: Project) -> str:
    """A task by its name, a user's own by the digest of its code: its folder may lie anywhere."""
    task = load_task(project.task)
    return task.code or task.name


def _base(project: Project) -> str:
    """What training starts from, by the digest of its files."""
    framework = project.train.framework
    training = load_task(project.task).training(framework)
    return base_digest(resolve_base(project.train.base, training, framework))


def _ingest_outside(inputs: Inputs) -> dict[str, str]:
    """source and settings, and `earlier`: the Dataset whose rows come first, empty when there is none."""
    project, source = inputs.project, inputs.source_digest
    task = _task(project)
    block = project.ingest.model_dump(mode="json", exclude={"task", "max_set_aside"})
    settings = digest_json({"version": INGEST_VERSION, "config": block, "task": task})
    earlier = before_it_grew(inputs.workspace, project.source(), source, settings)
    return {"source": source, "task": task, "settings": settings, "earlier": earlier}


def _ingest(inputs: Inputs, run: Run) -> Dataset:
    earlier = earlier_ingest(inputs.workspace, inputs.ingest_outside["earlier"])
    return ingest(inputs.project.source(), inputs.project.ingest, run, earlier)


def _open_work(inputs: Inputs, run: Run) -> None:
    """Hand out what is to be labelled, take in what people filled in; raises Waiting while something is left."""
    board = inputs.annotation.sync(run)
    inputs.annotation.hold_done(board)


def _split_settings(project: Project) -> str:
    return digest_json(project.split.model_dump(mode="json"))


def _split_outside(inputs: Inputs) -> dict[str, str]:
    """settings, and `earlier`: the digest of the split whose rows keep their sides, empty when there is none.

    It is the newest split of other data that this workspace made with these settings. Data that were split before keep
    the one that they were split by: what came since, or was freed, does not make theirs another split.
    """
    store, labelled, settings = inputs.workspace.store, inputs.labelled.digest, _split_settings(inputs.project)
    splits = [
        result
        for result in reversed(inputs.workspace.ledger.results())
        if result.stage == "split" and result.inputs["settings"] == settings
    ]
    before = [result.inputs["earlier"] for result in splits if labelled in result.inputs.values()]
    others = [result.output for result in splits if store.has(Dataset, result.output)]
    return {"settings": settings, "earlier": next(iter([*before, *others]), "")}


def _earlier_split(inputs: Inputs) -> Dataset | None:
    """The split whose rows keep their sides, when it is still in the store."""
    digest = _split_outside(inputs)["earlier"]
    store = inputs.workspace.store
    return store.dataset(digest) if digest and store.has(Dataset, digest) else None


CHAIN: tuple[Step, ...] = (
    Step(
        "ingest",
        Dataset,
        INGEST_VERSION,
        (),
        _ingest,
        outside=lambda inputs: inputs.ingest_outside,
        outside_keys=frozenset({"task"}),
    ),
    Step(
        "clean",
        Dataset,
        CLEAN_VERSION,
        ("ingest",),
        lambda inputs, run: clean(inputs.made["ingest"], inputs.project.clean, run),
    ),
    Step(
        "split",
        Dataset,
        SPLIT_VERSION,
        ("clean",),
        lambda inputs, run: split(inputs.labelled, inputs.project.split, run, earlier=_earlier_split(inputs)),
        outside=_split_outside,
    ),
    Step(
        "train",
        Model,
        TRAIN_VERSION,
        ("split",),
        lambda inputs, run: train(inputs.made.get("augment") or inputs.made["split"], inputs.project.train, run),
        outside=lambda inputs: {
            "base": _base(inputs.project),
            "task": _task(inputs.project),
        },
        outside_keys=frozenset({"base", "task", "checkpoint_steps"}),
    ),
    Step(
        "export",
        Package,
        EXPORT_VERSION,
        ("train", "split"),
        lambda inputs, run: export(inputs.made["train"], inputs.made["split"], inputs.project.export, run),
    ),
    Step(
        "optimize",
        Package,
        OPTIMIZE_VERSION,
        ("export", "split"),
        lambda inputs, run: optimize(inputs.made["export"], inputs.made["split"], inputs.project.optimize, run),
        measures=True,
    ),
    Step(
        "evaluate",
        Report,
        EVALUATE_VERSION,
        ("optimize", "split", "train"),
        lambda inputs, run: evaluate(
            inputs.made["optimize"], inputs.made["split"], inputs.project.evaluate, run, model=inputs.made["train"]
        ),
        measures=True,
    ),
    Step(
        "release",
        Report,
        RELEASE_VERSION,
        ("optimize",),
        lambda inputs, run: release(
            inputs.made["optimize"],
            inputs.reports,
            inputs.project.release,
            run,
            version=_version(inputs),
            history=_history(inputs),
        ),
        reads_reports=True,
        outside=lambda inputs: {
            "version": str(_version(inputs)),
            **{f"earlier:{place}": report.digest for place, report in enumerate(_history(inputs))},
        },
        effect=_mint,
    ),
)


# Stands before split in a project whose rows people label. Where the files lie does not change what stands in them.
ANNOTATE = Step(
    "annotate",
    Dataset,
    ANNOTATE_VERSION,
    ("clean",),
    lambda inputs, run: annotate(inputs.made["clean"], inputs.labels, inputs.annotation.config, run),
    outside=lambda inputs: {"labels": inputs.labels.digest},
    outside_keys=frozenset({"guideline", "gold", "folder", "annotators", "arbiter", "batch_size", "gold_per_batch"}),
    opens=_open_work,
)
# Stands before train in a project that asks for it.
AUGMENT = Step(
    "augment",
    Dataset,
    AUGMENT_VERSION,
    ("split",),
    lambda inputs, run: augment(inputs.made["split"], inputs.project.augment, run),
)


def steps_of(project: Project) -> tuple[Step, ...]:
    """The chain of a project: CHAIN, with the rows labelled by people, and train rows augmented, where it says so."""
    steps = CHAIN
    if project.annotate is not None:
        steps = _with(ANNOTATE, steps, "split")
    return _with(AUGMENT, steps, "train") if project.augment.copies else steps


def _with(step: Step, steps: tuple[Step, ...], before: str) -> tuple[Step, ...]:
    """The steps with one more, whose output the step behind it takes instead of what that one takes."""
    place = index_of(before, steps)
    return (*steps[:place], step, replace(steps[place], takes=(step.name,)), *steps[place + 1 :])


def config_of(project: Project, step: Step) -> dict[str, Any]:
    """The step's block of the project, as plain data for its key. What `outside` names by digest is left out, and what
    changes how the work is done but not what comes of it."""
    block = getattr(project, step.name)
    return dict(block.model_dump(mode="json", exclude=step.outside_keys))


_ASKED_FOR = {
    AUGMENT.name: "set augment.copies to 1 or more",
    ANNOTATE.name: "write an `annotate:` block (docs/annotate.md)",
}


def index_of(name: str, steps: Sequence[Step] = CHAIN) -> int:
    """Raises BadConfig for a stage that this line of steps does not have."""
    names = [step.name for step in steps]
    if name not in names:
        raise BadConfig(
            f"the stage {name} is not in this chain: {', '.join(names)}",
            next=_ASKED_FOR.get(name),
        )
    return names.index(name)


__all__ = ["ANNOTATE", "AUGMENT", "CHAIN", "Inputs", "Made", "Step", "config_of", "index_of", "steps_of"]
