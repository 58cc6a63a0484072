"""`modelyard run`: the chain on the user's data, a line a stage."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from modelyard.cli.output import common_options, verb

STAGES = ("ingest", "clean", "annotate", "split", "augment", "train", "export", "optimize", "evaluate", "release")


def workspace_option(command: Any) -> Any:
    """--workspace, or MODELYARD_WORKSPACE; by default .modelyard beside modelyard.yaml."""
    return click.option(
        "--workspace",
        type=click.Path(file_okay=False, path_type=Path),
        envvar="MODELYARD_WORKSPACE",
        help="Where results are kept. [default: .modelyard]",
    )(command)


@click.command("run")
@click.argument("data", required=False, type=click.Path())
@click.option(
    "--config", "config_file", type=click.Path(dir_okay=False, path_type=Path), help="Another modelyard.yaml."
)
@click.option("--from", "first", type=click.Choice(STAGES), help="Make this stage and what follows anew.")
@click.option("--to", "last", type=click.Choice(STAGES), default="release", show_default=True, help="Stop after it.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="A setting, as train.epochs=2.")
@click.option("--threads", type=click.IntRange(1, 256), default=None, help="Compute threads. [default: the cores]")
@click.option("--remeasure", is_flag=True, help="Measure again what was chosen by measured time.")
@click.option("--dry-run", is_flag=True, help="Say what would run and what is cached; do nothing.")
@workspace_option
@common_options
@verb
def command(
    data: str | None,
    config_file: Path | None,
    first: str | None,
    last: str,
    settings: tuple[str, ...],
    threads: int | None,
    remeasure: bool,
    dry_run: bool,
    workspace: Path | None,
    as_json: bool,
) -> int:
    """Run the chain: ingest, clean (annotate), split (augment), train, export, optimize, evaluate, release.

    Where there is no modelyard.yaml, the data are looked at first and a short one is written: what was found, what was
    assumed. What is already done and still valid comes from the cache; a killed run goes on where it stopped.
    """
    from modelyard.chain.preflight import preflight
    from modelyard.chain.project import FILE, load_project
    from modelyard.chain.proposal import with_task_of_data
    from modelyard.chain.runner import plan
    from modelyard.chain.steps import index_of, steps_of
    from modelyard.chain.workspace import Workspace
    from modelyard.cli.chain_output import chain_json, print_next, report_page, run_and_tell
    from modelyard.cli.look_output import look_and_tell, propose_and_tell
    from modelyard.cli.output import print_json
    from modelyard.config import merge, parse_setting

    chosen: dict[str, Any] = {}
    for setting in settings:
        chosen = merge(chosen, parse_setting(setting))
    folder = config_file.parent if config_file else Path.cwd()
    project = load_project(folder, data, chosen, config_file)
    project.source()
    seen = None
    if config_file is None and not (folder / FILE).is_file():
        chosen = with_task_of_data(project, chosen)
        project = load_project(folder, data, chosen)
        seen, project = propose_and_tell(project, data or "", folder, chosen, write=not dry_run)
    elif data is not None:
        named = load_project(folder, None, chosen, config_file)
        if named.data is not None and named.source_path() != project.source():
            click.echo(f"{config_file or FILE} names {named.data}: {data} is read with the settings in it", err=True)
    root = workspace or folder / ".modelyard"
    steps = steps_of(project)
    if dry_run and not (root / "ledger.db").is_file():
        _print_plan([(step.name, "run") for step in steps[: index_of(last, steps) + 1]], as_json)
        return 0
    place = Workspace(root)
    try:
        if seen is None and plan(project, place, "ingest") == [("ingest", "run")]:
            seen = look_and_tell(project)
        if dry_run:
            _print_plan(plan(project, place, last, first=first, remeasure=remeasure), as_json)
            return 0
        preflight(project, last)
        chain = run_and_tell(project, place, first=first, last=last, remeasure=remeasure, threads=threads)
        if as_json:
            print_json(
                {
                    **chain_json(chain, place.root, report_page(chain)),
                    "look": seen.as_json() if seen is not None else None,
                }
            )
        else:
            print_next(chain, project, place)
        return chain.error.exit_code if chain.error is not None else 0
    finally:
        place.close()


def _print_plan(lines: list[tuple[str, str]], as_json: bool) -> None:
    from modelyard.cli.output import envelope, print_json

    if as_json:
        print_json(envelope("done", "run", stages=[{"name": name, "outcome": outcome} for name, outcome in lines]))
        return
    for name, outcome in lines:
        click.echo(f"{name:<10}{outcome}")
