"""`modelyard doctor`: what this machine has, what is missing, and the command that mends it."""

from __future__ import annotations

from pathlib import Path

import click

from modelyard.cli.output import common_options, envelope, print_json, verb
from modelyard.cli.run import workspace_option

COLOURS = {"ok": "green", "warn": "yellow", "missing": "red"}
ENVIRONMENT = 3


@click.command("doctor")
@click.option(
    "--for",
    "purpose",
    type=click.Choice(["run", "serve"]),
    default="run",
    show_default=True,
    help="What the machine is for: the whole chain, or serving only (no torch).",
)
@workspace_option
@common_options
@verb
def command(purpose: str, workspace: Path | None, as_json: bool) -> int:
    """Look at Python, packages, processor, memory, disk, workspace, ports and network; change nothing.

    Exit code 0 when what is needed is there, 3 otherwise.
    """
    from modelyard.chain.doctor import examine

    checks = examine(workspace or Path.cwd() / ".modelyard", purpose)
    missing = [check for check in checks if check.state == "missing"]
    if as_json:
        outcome = "failed" if missing else "done"
        print_json(envelope(outcome, "doctor", checks=[check.as_json() for check in checks]))
    else:
        for check in checks:
            word = click.style(f"{check.state:<9}", fg=COLOURS[check.state])
            click.echo(f"{word}{check.name:<20}{check.said}")
            if check.next is not None:
                click.echo(f"{'':<29}next: {check.next}")
        click.echo(f"{len(missing)} missing" if missing else "what is needed is there")
    return ENVIRONMENT if missing else 0
