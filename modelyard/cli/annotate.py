"""`modelyard annotate`: files out, labels in, what they are worth."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from modelyard.cli.output import common_options, envelope, print_json, verb
from modelyard.cli.run import workspace_option

if TYPE_CHECKING:
    from modelyard.chain.project import Project
    from modelyard.chain.workspace import Workspace
    from modelyard.run import Run


@click.group("annotate")
def group() -> None:
    """Labels by people: blind work files for two and an arbiter, and what their labels are worth.

    The chain opens the work (`annotate:` in modelyard.yaml, docs/annotate.md); these verbs look at it and change it.
    Each of them takes --json.
    """


def project_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--config, --set and --workspace, as `modelyard run` has them."""
    command = click.option(
        "--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting, as annotate.bar=0.9."
    )(command)
    config = click.option(
        "--config", "config_file", type=click.Path(dir_okay=False, path_type=Path), help="Another modelyard.yaml."
    )
    wrapped: Callable[..., Any] = config(workspace_option(command))
    return wrapped


@contextmanager
def _project(
    config_file: Path | None, settings: tuple[str, ...], workspace: Path | None, data: str | None = None
) -> Iterator[tuple[Project, Workspace]]:
    from modelyard.chain.project import load_project
    from modelyard.chain.workspace import Workspace
    from modelyard.config import merge, parse_setting

    chosen: dict[str, Any] = {}
    for setting in settings:
        chosen = merge(chosen, parse_setting(setting))
    folder = config_file.parent if config_file else Path.cwd()
    project = load_project(folder, data, chosen, config_file)
    place = Workspace(workspace or folder / ".modelyard")
    try:
        yield project, place
    finally:
        place.close()


@group.command("export")
@click.argument("data", required=False, type=click.Path())
@click.option(
    "--labels", type=click.Path(dir_okay=False, path_type=Path), help="Write what is decided to this CSV file."
)
@project_options
@common_options
@verb
def export(
    data: str | None,
    labels: Path | None,
    config_file: Path | None,
    settings: tuple[str, ...],
    workspace: Path | None,
    as_json: bool,
) -> int:
    """Open what is to be labelled and write the files that are missing; one that is there is never touched.

    As `modelyard run --to annotate`: it takes in what was filled in, too.
    """
    from modelyard.chain.annotate_verbs import assigned, opened, write_labels
    from modelyard.chain.preflight import preflight
    from modelyard.cli.chain_output import chain_json, run_and_tell
    from modelyard.errors import Waiting

    with _project(config_file, settings, workspace, data) as (project, place):
        preflight(project, "annotate")
        chain = run_and_tell(project, place, last="annotate")
        if chain.error is not None and not isinstance(chain.error, Waiting) and chain.stages[-1].stage != "annotate":
            if as_json:
                print_json(chain_json(chain, place.root, None))
            return chain.error.exit_code
        annotation = opened(project, place)
        open_work = [each for each in assigned(annotation) if each.done < each.of]
        written = write_labels(annotation, labels) if labels is not None else 0
        if as_json:
            rows = [each.__dict__ for each in open_work]
            more = {"folder": str(annotation.folder), "open": rows, "labels": str(labels) if labels else None}
            print_json({**chain_json(chain, place.root, None), **more})
        else:
            for each in open_work:
                click.echo(f"batch {each.batch}  {each.annotator:<12}{each.role:<9}{each.done:,} of {each.of:,}")
            if labels is not None:
                click.echo(f"{written:,} labels: {labels}")
        return chain.error.exit_code if chain.error is not None else 0


@group.command("import")
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--guideline", help="The name of the guideline, where several are in use.")
@project_options
@common_options
@verb
def import_(
    files: tuple[Path, ...],
    guideline: str | None,
    config_file: Path | None,
    settings: tuple[str, ...],
    workspace: Path | None,
    as_json: bool,
) -> int:
    """Take in FILES that people filled in, from anywhere: each in one transaction, its good rows all or none.

    A row that cannot be taken is named with its line and stays to be done; then the exit code is 2.
    """
    from modelyard.annotate.records import the_guideline
    from modelyard.chain.annotation import take_file

    with _project(config_file, settings, workspace) as (project, place):
        with place.ledger.reading() as connection:
            name = the_guideline(connection, guideline)
        taken = [take_file(place, name, path, project) for path in files]
    refused = [each for one in taken for each in one.refused]
    count = sum(one.new for one in taken)
    next = "mend these rows in the file and import it again" if refused else "modelyard run"
    if as_json:
        said = f"rows not taken: {len(refused):,}; the others were"
        where = f"{refused[0].file}, line {refused[0].line}: {refused[0].reason}" if refused else None
        error = {"kind": "bad_input", "message": said, "where": where, "next": next}
        more: dict[str, Any] = {"error": error} if refused else {"next": next}
        rows = [each.as_json() for each in refused]
        shown = [one.as_json() for one in taken]
        outcome = "failed" if refused else "done"
        print_json(
            envelope(outcome, "annotate", files=shown, taken=count, refused=rows, refused_count=len(rows), **more)
        )
    else:
        for one in taken:
            said = f"{one.new:,} labels taken" + (f" ({one.changed:,} changed)" if one.changed else "")
            click.echo(f"{one.file}: {said}, {one.same:,} known, {one.empty:,} empty, {len(one.refused):,} not taken")
        for each in refused:
            click.echo(f"{each.file}, line {each.line}: {each.reason}", err=True)
        click.echo(f"next:  {next}", err=bool(refused))
    return 2 if refused else 0


@group.command("assign")
@click.option("--batch", type=click.IntRange(1), help="The batch of which to move something.")
@click.option("--from", "one", metavar="NAME", help="Who has it.")
@click.option("--to", "other", metavar="NAME", help="Who gets what is not answered yet.")
@project_options
@common_options
@verb
def assign(
    batch: int | None,
    one: str | None,
    other: str | None,
    config_file: Path | None,
    settings: tuple[str, ...],
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Who has which batch; with --batch, --from and --to, give what somebody has not answered to somebody else."""
    from modelyard.chain.annotate_verbs import assigned, move, opened

    given = [batch is not None, one is not None, other is not None]
    if any(given) and not all(given):
        raise click.UsageError("--batch, --from and --to go together")
    with _project(config_file, settings, workspace) as (project, place):
        annotation = opened(project, place)
        moved, written = 0, list[Path]()
        if batch is not None and one is not None and other is not None:
            moved, written = move(annotation, batch, one, other, _run(place))
        rows = assigned(annotation)
    if as_json:
        files = [str(path) for path in written]
        print_json(envelope("done", "annotate", moved=moved, files=files, assigned=[each.__dict__ for each in rows]))
        return
    if moved:
        click.echo(f"{moved:,} items of batch {batch} are {other}'s now: {', '.join(map(str, written))}")
    for each in rows:
        number = f"{each.batch}" + (f" round {each.round}" if each.round > 1 else "")
        click.echo(f"batch {number:<12}{each.annotator:<12}{each.role:<9}{each.done:,} of {each.of:,}")


@group.command("agreement")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option("--arbiter", type=click.Path(path_type=Path), help="With FILES: what the arbiter decided.")
@click.option("--gold", type=click.Path(path_type=Path), help="With FILES: the known labels of some ids.")
@project_options
@common_options
@verb
def agreement(
    files: tuple[Path, ...],
    arbiter: Path | None,
    gold: Path | None,
    config_file: Path | None,
    settings: tuple[str, ...],
    workspace: Path | None,
    as_json: bool,
) -> None:
    """Agreement per label, pair, annotator and batch, as it stands: of FILES with columns id and label, or a project.

    FILES: one for each person, called after them; no project is needed for these.
    """
    from modelyard.chain.annotate_verbs import agreement as of_project
    from modelyard.chain.annotate_verbs import agreement_of_files, opened

    if (arbiter or gold) and not files:
        raise click.UsageError("--arbiter and --gold go with FILES; a project names its own")
    if files:
        run = agreement_of_files(files, arbiter, gold)
    else:
        with _project(config_file, settings, workspace) as (project, place):
            run = of_project(opened(project, place))
    figures = {name: figure.as_json() for name, figure in run.figures.items()}
    if as_json:
        print_json(envelope("done", "annotate", figures=figures, **run.details))
        return
    for name, figure in figures.items():
        if name not in ("guideline_version", "rows_in", "rows_out"):
            low, high = figure.get("interval") or (None, None)
            between = f" ({_number(low)}-{_number(high)})" if low is not None else ""
            click.echo(f"{name:<20}{_number(figure['value'])}{between}   {figure['how']}")
    for table in ("per_label", "per_pair", "per_annotator", "per_batch"):
        rows = run.details[table]
        if rows:
            click.echo("")
            _table(rows)


@group.command("review")
@click.option("--batch", type=click.IntRange(1), help="Of this batch alone.")
@click.option("--reopen", type=click.IntRange(1), metavar="BATCH", help="Have a batch labelled once more.")
@project_options
@common_options
@verb
def review(
    batch: int | None,
    reopen: int | None,
    config_file: Path | None,
    settings: tuple[str, ...],
    workspace: Path | None,
    as_json: bool,
) -> None:
    """What two people answered differently, with who said what: for who leads the work, since it is no longer blind."""
    from modelyard.chain.annotate_verbs import agreement, disagreements, opened
    from modelyard.chain.annotate_verbs import reopen as open_again

    with _project(config_file, settings, workspace) as (project, place):
        annotation = opened(project, place)
        written = open_again(annotation, reopen, _run(place)) if reopen is not None else []
        torn = disagreements(annotation, batch)
        batches = agreement(annotation).details["per_batch"]
    if as_json:
        files = [str(path) for path in written]
        print_json(envelope("done", "annotate", disagreements=torn, batches=batches, reopened=reopen, files=files))
        return
    for path in written:
        click.echo(f"batch {reopen} is open again: {path}")
    if batches:
        _table(batches)
    for each in torn:
        votes = ", ".join(f"{name}: {label}" for name, label in each["votes"].items())
        decided = f"; arbiter: {each['arbiter']}" if each["arbiter"] else ""
        known = f"; gold: {each['gold']}" if each["gold"] else ""
        click.echo(f"\nbatch {each['batch']}  {votes}{decided}{known}\n  {' | '.join(each['shown'])}")
        for name, comment in each["comments"].items():
            click.echo(f"  {name}: {comment}")


def _run(place: Workspace) -> Run:
    """What is said and warned of goes to stderr."""
    from modelyard.cli.terminal import PlainProgress
    from modelyard.run import Run

    return Run(place.store, PlainProgress())


def _number(value: Any) -> str:
    if isinstance(value, float):
        return "no data" if value != value else f"{value:.3f}"
    return str(value)


def _table(rows: list[dict[str, Any]]) -> None:
    names = list(rows[0])
    cells = [[_number(row[name]) for name in names] for row in rows]
    widths = [max(len(name), *(len(row[place]) for row in cells)) for place, name in enumerate(names)]
    for row in [names, *cells]:
        click.echo("  ".join(f"{cell:<{width}}" for cell, width in zip(row, widths, strict=True)).rstrip())
