"""`modelyard gc`: free what no version and no recent run needs."""

from __future__ import annotations

from pathlib import Path

import click

from modelyard.cli.output import common_options, verb
from modelyard.cli.run import workspace_option


@click.command("gc")
@click.option("--dry-run", is_flag=True, help="Say what would be freed; free nothing.")
@click.option(
    "--keep-runs",
    type=click.IntRange(0),
    default=10,
    show_default=True,
    metavar="N",
    help="Keep all that the last N good runs made, and whatever ran since.",
)
@workspace_option
@common_options
@verb
def command(dry_run: bool, keep_runs: int, workspace: Path | None, as_json: bool) -> None:
    """Free what no version, no alias and no recent run of this workspace needs.

    Every version goes on being served; the one that an alias points at keeps its model and data too.
    """
    from modelyard.chain.gc import free
    from modelyard.chain.workspace import Workspace
    from modelyard.cli.output import envelope, print_json
    from modelyard.errors import BadInput

    root = workspace or Path.cwd() / ".modelyard"
    if not (root / "ledger.db").is_file():
        raise BadInput("there is no workspace here", where=str(root), next="give one with --workspace DIR")
    place = Workspace(root)
    try:
        freed = free(place, keep_runs=keep_runs, dry_run=dry_run)
    finally:
        place.close()
    if as_json:
        kinds = {kind: {"count": count, "bytes": size} for kind, (count, size) in freed.by_kind().items()}
        print_json(
            envelope("done", "gc", out=str(root), dry_run=dry_run, bytes=freed.size, freed=kinds, in_use=freed.in_use)
        )
        return
    for kind, (count, size) in freed.by_kind().items():
        click.echo(f"{kind:<10}{count:>7,}{size / 1e6:>12,.1f} MB")
    click.echo(f"{'would free' if dry_run else 'freed'} {freed.size / 1e6:,.1f} MB in {root}")
    if freed.in_use:
        click.echo(f"{freed.in_use} in use by a running process: left alone")
