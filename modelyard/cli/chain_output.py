"""A chain as a person and as a program sees it: a line a stage on stderr, one object on stdout."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from modelyard.chain.headlines import headline
from modelyard.chain.project import Project
from modelyard.chain.runner import ChainOutcome, StageOutcome, run_chain
from modelyard.chain.workspace import Workspace
from modelyard.cli.output import envelope, print_error
from modelyard.cli.stopping import Stopped, stoppable
from modelyard.cli.terminal import progress
from modelyard.environment import usable_cores
from modelyard.errors import ModelyardError, Waiting
from modelyard.run import Listener
from modelyard.store import Package, Report

COLOURS = {"done": "green", "cached": "cyan", "waiting": "yellow", "failed": "red"}


def stage_line(outcome: StageOutcome) -> str:
    """`clean     done      1.1 s   41 repaired, 12 dropped`."""
    word = click.style(f"{outcome.outcome:<8}", fg=COLOURS[outcome.outcome])
    said = str(outcome.error) if outcome.error is not None else headline(outcome.stage, outcome.report)
    return f"{outcome.stage:<10}{word}{_seconds(outcome.seconds):>9}   {said}"


def _seconds(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{int(seconds) // 60} min {int(seconds) % 60:02d} s"


def run_and_tell(
    project: Project,
    workspace: Workspace,
    *,
    first: str | None = None,
    last: str = "release",
    remeasure: bool = False,
    threads: int | None = None,
) -> ChainOutcome:
    """Run the chain with progress and a line a stage on stderr; an error that ends it is told there too."""
    with told_by_line(workspace.root) as (listener, told, cancelled):
        chain = run_chain(
            project,
            workspace,
            listener,
            first=first,
            last=last,
            remeasure=remeasure,
            threads=threads or usable_cores(),
            told=told,
            cancelled=cancelled,
        )
    if chain.error is not None:
        print_error(chain.error)
    return chain


@contextmanager
def told_by_line(
    root: Path,
) -> Iterator[tuple[Listener, Callable[[StageOutcome], None], threading.Event]]:
    """Listener, what hears each stage as it ends, and the event of Ctrl-C, for a line of stages kept under `root`."""
    finished: list[str] = []
    with progress() as listener, _says_what_is_kept(root, finished), stoppable() as cancelled:

        def told(outcome: StageOutcome) -> None:
            listener.line(stage_line(outcome))
            if outcome.error is None:
                finished.append(outcome.stage)

        yield listener, told, cancelled


@contextmanager
def _says_what_is_kept(root: Path, finished: list[str]) -> Iterator[None]:
    """Raises Stopped with the stages that are kept and the checkpoints of the one under way."""
    try:
        yield
    except KeyboardInterrupt as error:
        kept = ", ".join([*finished, *_checkpoint(root, finished)])
        raise Stopped(
            f"stopped; kept: {kept or 'nothing was finished yet'}", "run the same command again: it goes on there"
        ) from error


def _checkpoint(root: Path, finished: list[str]) -> list[str]:
    """The newest checkpoint in words, when training was under way."""
    if finished[-1:] != ["split"]:
        return []
    steps = list((root / "store/scratch").glob("*/checkpoints/step-*"))
    newest = max(steps, key=lambda path: path.stat().st_mtime, default=None)
    return [] if newest is None else [f"train up to step {int(newest.name.removeprefix('step-')):,}"]


def chain_json(chain: ChainOutcome, out: Path, page: Path | None) -> dict[str, Any]:
    """The envelope of a chain: the last stage's digest, figures and gates, and all stages; page: the report."""
    last = chain.stages[-1]
    info = last.report.info if last.report is not None else {"figures": {}, "gates": []}
    more: dict[str, Any] = {}
    if isinstance(chain.error, ModelyardError):
        more["error"] = chain.error.as_json()
    if isinstance(chain.error, Waiting):
        more["waiting"] = chain.error.as_waiting()
    return envelope(
        chain.outcome,
        last.stage,
        digest=last.output.digest if last.output is not None else None,
        out=str(out),
        report=str(page) if page is not None else None,
        figures=info["figures"],
        gates=info["gates"],
        stages=[stage.as_json() for stage in chain.stages],
        **more,
    )


def report_page(chain: ChainOutcome) -> Path | None:
    """The HTML page of the release, when there is one."""
    release = chain.stage("release")
    if release is None or not isinstance(release.output, Report):
        return None
    return release.output.path / "report.html"


def print_next(chain: ChainOutcome, project: Project, workspace: Workspace) -> None:
    """Where the evidence lies and what to do next."""
    page = report_page(chain)
    if page is not None:
        click.echo(f"report:    {page}")
    made = chain.stage("optimize")
    if page is not None and chain.error is None and made is not None and isinstance(made.output, Package):
        where = "" if workspace.root == Path.cwd() / ".modelyard" else f" --workspace {workspace.root}"
        click.echo(f"serve it:  {made.output.serve_command(project.release.alias)}{where}")
