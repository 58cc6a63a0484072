"""The runner: each stage once, from the cache when nothing that it depends on has changed."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelyard.chain.project import Project
from modelyard.chain.steps import Inputs, Made, Step, config_of, index_of, steps_of
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadInput, Damaged, EnvironmentProblem, Fault, ModelyardError, Waiting
from modelyard.full_disk import full_disk
from modelyard.ledger import INTERRUPTED, Result, StageEntry
from modelyard.run import Cancelled, Listener, Run, Silent
from modelyard.store import Dataset, Report
from modelyard.store.digests import digest_json


@dataclass(frozen=True)
class StageOutcome:
    """One stage of one run: done, cached, waiting or failed; what it made; its Report; why it stopped."""

    stage: str
    outcome: str
    seconds: float
    key: str
    output: Made | None = None
    report: Report | None = None
    error: ModelyardError | None = None

    def as_json(self) -> dict[str, Any]:
        return {
            "name": self.stage,
            "outcome": self.outcome,
            "seconds": round(self.seconds, 3),
            "digest": self.output.digest if self.output is not None else None,
        }


@dataclass
class ChainOutcome:
    """All stages that ran, in order."""

    stages: list[StageOutcome] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """`done` when every stage is done or cached, else that of the last one."""
        last = self.stages[-1].outcome if self.stages else "done"
        return "done" if last == "cached" else last

    @property
    def error(self) -> ModelyardError | None:
        return self.stages[-1].error if self.stages else None

    def stage(self, name: str) -> StageOutcome | None:
        return next((stage for stage in self.stages if stage.stage == name), None)

    @property
    def reports(self) -> dict[str, Report]:
        return {stage.stage: stage.report for stage in self.stages if stage.report is not None}


def step_key(step: Step, inputs: Inputs) -> tuple[str, dict[str, str]]:
    """The digest of all that the step's result depends on, and the input digests by name."""
    digests = {name: inputs.made[name].digest for name in step.takes}
    digests.update(step.outside(inputs))
    if step.reads_reports:
        digests.update({f"report:{name}": report.digest for name, report in inputs.reports.items()})
    config = config_of(inputs.project, step)
    key = digest_json({"stage": step.name, "version": step.version, "config": config, "inputs": digests})
    return key, digests


def _chosen(steps: Sequence[Step], first: str | None, last: str, remeasure: bool) -> list[tuple[Step, bool]]:
    """The steps to `last`, and whether each is made anew. Raises BadConfig for a stage that is not among them."""
    begin = len(steps) if first is None else index_of(first, steps)
    return [
        (step, position >= begin or (remeasure and step.measures))
        for position, step in enumerate(steps[: index_of(last, steps) + 1])
    ]


def plan(
    project: Project,
    workspace: Workspace,
    last: str = "release",
    *,
    first: str | None = None,
    remeasure: bool = False,
) -> list[tuple[str, str]]:
    """What a run would do, without doing it: (stage, `cached` | `run`); after the first `run` all the rest run."""
    chosen = _chosen(steps_of(project), first, last, remeasure)
    made = _made_before(project, workspace, chosen)
    return [(step.name, "cached" if step.name in made else "run") for step, _ in chosen]


def made_before(project: Project, workspace: Workspace, last: str) -> dict[str, Made]:
    """What an earlier run made of the project's data as they are now, up to `last`. Raises BadInput where none did."""
    chosen = _chosen(steps_of(project), None, last, False)
    made = _made_before(project, workspace, chosen)
    if last not in made:
        raise BadInput(
            f"{last} has not run yet on the data as they are now",
            where=str(project.source()),
            next=f"modelyard run --to {last}",
        )
    return made


def _made_before(project: Project, workspace: Workspace, chosen: Sequence[tuple[Step, bool]]) -> dict[str, Made]:
    """What lies in the cache, up to the first step that does not or is to be made anew."""
    made: dict[str, Made] = {}
    reports: dict[str, Report] = {}
    for step, anew in chosen:
        if anew:
            break
        key, _ = step_key(step, Inputs(project, made, reports, workspace))
        found = _cached(workspace, step, key)
        if found is None:
            break
        made[step.name], reports[step.name] = found
    return made


def run_chain(
    project: Project,
    workspace: Workspace,
    listener: Listener | None = None,
    *,
    first: str | None = None,
    last: str = "release",
    remeasure: bool = False,
    threads: int = 2,
    told: Callable[[StageOutcome], None] = lambda outcome: None,
    cancelled: threading.Event | None = None,
    steps: Sequence[Step] | None = None,
) -> ChainOutcome:
    """Run the chain to `last`. Stages from `first` on are made anew, with `remeasure` those that hold measured time.

    steps: another line of stages than the project's.
    `told` hears each stage as it ends; `cancelled` asks a stage to stop at its next step. A failed gate, bad input, a
    full disk and open annotation end the run and are in its outcome; only faults of ours and interruptions are raised.
    What was finished stays in the cache.
    """
    chosen = _chosen(steps_of(project) if steps is None else steps, first, last, remeasure)
    chain = ChainOutcome()
    made: dict[str, Made] = {}
    asked = cancelled or threading.Event()
    with workspace.locked():
        run_number = workspace.ledger.start_run(str(project.data))
        try:
            for position, (step, anew) in enumerate(chosen):
                inputs = Inputs(project, made, chain.reports, workspace)
                outcome = _run_step(step, inputs, listener or Silent(), threads, asked, anew=anew)
                chain.stages.append(outcome)
                told(outcome)
                workspace.ledger.note_stage(run_number, position, _entry(outcome))
                if outcome.output is None or outcome.error is not None:
                    break
                made[step.name] = outcome.output
            workspace.ledger.finish_run(run_number, chain.outcome)
        except KeyboardInterrupt:
            with contextlib.suppress(EnvironmentProblem):
                workspace.ledger.finish_run(run_number, INTERRUPTED)
            raise
        except EnvironmentProblem:
            # A disk that kept a stage from writing may also keep the ledger from noting it: the stage's words count.
            if chain.error is None:
                raise
    return chain


def _run_step(
    step: Step, inputs: Inputs, listener: Listener, threads: int, cancelled: threading.Event, *, anew: bool
) -> StageOutcome:
    started = time.monotonic()
    workspace = inputs.workspace
    key, run = "", Run(workspace.store, listener, threads=threads, cancelled=cancelled)
    output: Made | None = None
    report: Report | None = None
    try:
        run.check_cancelled()
        if step.opens is not None:
            step.opens(inputs, run)
        key, digests = step_key(step, inputs)
        run.key, run.allowed_code = key, inputs.project.allowed_code()
        found = None if anew else _cached(workspace, step, key)
        if found is not None:
            output, report = found
            outcome = "cached"
            workspace.store.drop_scratch(key)  # there when the run that made it was killed at its very end
        else:
            output = step.call(inputs, run)
            report = output if isinstance(output, Report) else run.report(step.name)
            seconds = time.monotonic() - started
            workspace.ledger.keep_result(
                Result(key, step.name, step.makes.__name__, output.digest, report.digest, digests, seconds)
            )
            workspace.store.drop_scratch(key)
            outcome = "done"
        if step.effect is not None:
            if not isinstance(output, Report):
                raise Fault(f"{step.name} acts on a Report and made a {type(output).__name__}")
            step.effect(inputs, run, output)
    except Waiting as waiting:
        return StageOutcome(step.name, "waiting", time.monotonic() - started, key, output, report, waiting)
    except ModelyardError as error:
        if cancelled.is_set():  # a server that heard the same Ctrl-C, for instance
            raise Cancelled from error
        # The evidence of a failure is kept as well as that of a success.
        if report is None and run.recorded and not full_disk(error, workspace.root):
            report = run.report(step.name)
        return StageOutcome(step.name, "failed", time.monotonic() - started, key, output, report, error)
    except Exception as error:
        problem = full_disk(error, workspace.root)
        if problem is None:
            raise
        return StageOutcome(step.name, "failed", time.monotonic() - started, key, output, report, problem)
    return StageOutcome(step.name, outcome, time.monotonic() - started, key, output, report)


def _cached(workspace: Workspace, step: Step, key: str) -> tuple[Made, Report] | None:
    """The output and Report kept under the key, when both are still in the store."""
    result = workspace.ledger.result(key)
    if result is None:
        return None
    with contextlib.suppress(Damaged):
        report = workspace.store.get(Report, result.report)
        if issubclass(step.makes, Dataset):
            return workspace.store.dataset(result.output), report
        return workspace.store.get(step.makes, result.output), report
    return None


def _entry(outcome: StageOutcome) -> StageEntry:
    return StageEntry(
        outcome.stage,
        outcome.outcome,
        outcome.seconds,
        outcome.key,
        outcome.output.digest if outcome.output is not None else None,
        outcome.report.digest if outcome.report is not None else None,
        str(outcome.error) if outcome.error is not None else None,
    )
