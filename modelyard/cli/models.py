"""`modelyard models`, `promote` and `rollback`: what was released, and where its aliases point."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelyard.cli.output import common_options, envelope, print_json, verb
from modelyard.cli.run import workspace_option
from modelyard.errors import BadInput

if TYPE_CHECKING:
    from modelyard.chain.models import Version
    from modelyard.chain.workspace import Workspace
    from modelyard.ledger import Move


def alias_option(command: click.Command) -> click.Command:
    return click.option("--alias", default="champion", show_default=True, help="The alias that moves.")(command)


@contextmanager
def _opened(root: Path | None) -> Iterator[Workspace]:
    """The workspace. Raises BadInput when there is none: these verbs make nothing."""
    from modelyard.chain.workspace import Workspace

    place = root or Path.cwd() / ".modelyard"
    if not (place / "ledger.db").is_file():
        raise BadInput("there is no workspace here", where=str(place), next="give one with --workspace DIR")
    workspace = Workspace(place)
    try:
        yield workspace
    finally:
        workspace.close()


@click.command("models")
@click.argument("name", required=False)
@workspace_option
@common_options
@verb
def models(name: str | None, workspace: Path | None, as_json: bool) -> None:
    """List what was released: versions, aliases, gates, accuracy and latency."""
    from modelyard.chain.models import released

    with _opened(workspace) as place:
        found = released(place, name)
    if as_json:
        print_json(envelope("done", "models", out=str(place.root), versions=[one.as_json() for one in found]))
        return
    if not found:
        click.echo("nothing was released here yet: modelyard run")
        return
    metrics = dict.fromkeys(one.metric for one in found)
    headed = next(iter(metrics)) if len(metrics) == 1 else ""
    width = max(9, *(len(one.metric) + (0 if headed else 7) for one in found))
    click.echo(f"{'version':<24}{'alias':<16}{'gates':<22}{headed:>{width}}{'P50':>11}   released")
    for one in found:
        click.echo(_row(one, width, named=not headed))


def _row(one: Version, width: int, *, named: bool) -> str:
    """named: the metric stands beside its value, for not all versions have the same one."""
    gates = f"{one.gates - len(one.failed)} of {one.gates}"
    if one.minted.override:
        gates += ", overridden"
    value = "no data" if one.value is None else f"{one.value:.3f}"
    value = f"{one.metric} {value}" if named else value
    latency = "no data" if one.p50_ms is None else f"{one.p50_ms:.1f} ms"
    gone = "" if one.here else "   (its package is not here)"
    return (
        f"{one.minted.name + ':' + str(one.minted.version):<24}{', '.join(one.aliases) or '-':<16}{gates:<22}"
        f"{value:>{width}}{latency:>11}   {one.minted.created:%Y-%m-%d %H:%M}{gone}"
    )


@click.command("promote")
@click.argument("name")
@click.argument("version", type=click.IntRange(1))
@alias_option
@click.option("--override", metavar="REASON", help="Why, although a gate failed; kept on record.")
@workspace_option
@common_options
@verb
def promote(name: str, version: int, alias: str, override: str | None, workspace: Path | None, as_json: bool) -> None:
    """Point an alias at a version. Nothing changes when it stands there already."""
    from modelyard.chain.models import promote as move_to

    with _opened(workspace) as place:
        move = move_to(place, name, version, alias, override)
    _tell("promote", name, alias, version, move, as_json)


@click.command("rollback")
@click.argument("name")
@alias_option
@click.option("--from", "only_from", type=click.IntRange(1), metavar="VERSION", help="Only if the alias stands there.")
@workspace_option
@common_options
@verb
def rollback(name: str, alias: str, only_from: int | None, workspace: Path | None, as_json: bool) -> None:
    """Move an alias back to where it stood before its last move; again goes one further back.

    With --from VERSION a repeated call changes nothing: the alias no longer stands there.
    """
    from modelyard.chain.models import rollback as move_back

    with _opened(workspace) as place:
        move = move_back(place, name, alias, only_from)
        now = place.ledger.alias(name, alias)
    _tell("rollback", name, alias, now, move, as_json)


def _tell(stage: str, name: str, alias: str, now: int | None, move: Move | None, as_json: bool) -> None:
    before = move.before if move is not None else now
    if as_json:
        moved = move is not None
        print_json(envelope("done", stage, name=name, alias=alias, before=before, version=now, moved=moved))
    elif move is None:
        click.echo(f"{name}@{alias} stands at version {now}: nothing to do")
    else:
        click.echo(f"{name}@{alias}: version {'none' if before is None else before} -> {now}")
        click.echo(f"a server that is running keeps what it has; start it anew: modelyard serve {name}@{alias}")
