"""`modelyard status`: the last run, stage by stage."""

from __future__ import annotations

from pathlib import Path

import click

from modelyard.cli.output import common_options, verb
from modelyard.cli.run import workspace_option


@click.command("status")
@workspace_option
@common_options
@verb
def command(workspace: Path | None, as_json: bool) -> int:
    """Show the last run of this workspace: each stage, its outcome, its time, its output."""
    from modelyard.chain.workspace import holder
    from modelyard.cli.output import envelope, print_json
    from modelyard.errors import BadInput
    from modelyard.ledger import Ledger

    root = workspace or Path.cwd() / ".modelyard"
    if not (root / "ledger.db").is_file():
        raise BadInput("there is no workspace here", where=str(root), next="modelyard run DATA makes one")
    ledger = Ledger(root / "ledger.db")
    try:
        last = ledger.last_run()
    finally:
        ledger.close()
    if last is None:
        raise BadInput("nothing has run in this workspace yet", where=str(root), next="modelyard run DATA")
    run, stages = last
    # Without an outcome it goes on, or was killed.
    at_work = holder(root) if run["outcome"] is None else None
    outcome = run["outcome"] or ("running" if at_work else "interrupted")
    if as_json:
        rows = [
            {"name": s.stage, "outcome": s.outcome, "seconds": round(s.seconds, 3), "digest": s.output} for s in stages
        ]
        print_json(envelope(outcome, "status", out=str(root), stages=rows))
        return 0
    click.echo(f"run {run['id']} of {run['started']:%Y-%m-%d %H:%M} UTC: {outcome}{f' ({at_work})' if at_work else ''}")
    for stage in stages:
        shown = stage.message or (stage.output or "")[:12]
        click.echo(f"{stage.stage:<10}{stage.outcome:<9}{stage.seconds:>8.1f} s   {shown}")
    if outcome not in ("done", "running"):
        click.echo("go on with: modelyard run")
    return 0
