"""`modelyard init`: a short modelyard.yaml from the user's data, or a template to start from."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from modelyard.cli.output import common_options, envelope, print_json, verb


@click.command("init")
@click.argument("what", required=False, metavar="[TEMPLATE | DATA]")
@click.option("--force", is_flag=True, help="Write over a modelyard.yaml that is there.")
@click.option("--dry-run", is_flag=True, help="Print what would be written; write nothing.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="As in run: ingest.columns.text=body.")
@common_options
@verb
def command(what: str | None, force: bool, dry_run: bool, settings: tuple[str, ...], as_json: bool) -> None:
    """Write modelyard.yaml into this folder.

    From DATA (a file, or a folder in the Hugging Face layout): looks at it and proposes task, columns and groups. From
    a TEMPLATE: a commented file and a tiny example of the data. Without an argument: lists the templates.
    """
    from modelyard.chain.templates import TEMPLATES

    if what is None:
        if as_json:
            print_json(envelope("done", "init", templates=TEMPLATES))
            return
        for name, text in TEMPLATES.items():
            click.echo(f"{name:<24}{text}")
        click.echo("start from one: modelyard init NAME      from your data: modelyard init reviews.csv")
        return
    if what in TEMPLATES or not Path(what).exists():
        _from_template(what, force, dry_run, as_json)
    else:
        _from_data(what, settings, force, dry_run, as_json)


def _from_template(name: str, force: bool, dry_run: bool, as_json: bool) -> None:
    from modelyard.chain.templates import shortened, template_files, write_template

    if dry_run:
        files = {file: _text(content) for file, content in template_files(name).items()}
        if as_json:
            print_json(envelope("done", "init", template=name, files=files))
        else:
            for file, content in files.items():
                click.echo(f"# {file}\n{content}")
        return
    written = write_template(name, Path.cwd(), force=force)
    if as_json:
        print_json(envelope("done", "init", out=str(Path.cwd()), template=name, files=written))
    else:
        click.echo(f"wrote {shortened(written)}: put your own data in, then `modelyard run`")


def _text(content: bytes) -> str:
    """A file as it is printed; of one that is no text, its size."""
    try:
        return content.decode()
    except UnicodeDecodeError:
        return f"({len(content):,} bytes)"


def _from_data(data: str, settings: tuple[str, ...], force: bool, dry_run: bool, as_json: bool) -> None:
    from modelyard.chain.project import load_project
    from modelyard.chain.proposal import proposed_yaml, with_task_of_data, write_proposal
    from modelyard.cli.look_output import look_and_tell
    from modelyard.config import merge, parse_setting

    folder = Path.cwd()
    chosen: dict[str, Any] = {"data": str(Path(data).absolute())}
    for setting in settings:
        chosen = merge(chosen, parse_setting(setting))
    # A modelyard.yaml that lies here is about to be replaced: what it says is not read.
    project = load_project(folder, None, chosen, read_file=False)
    project = load_project(folder, None, with_task_of_data(project, chosen), read_file=False)
    seen = look_and_tell(project, propose=True)
    text = proposed_yaml(seen, project.source(), folder, f"modelyard init {data}")
    out = None if dry_run else write_proposal(text, folder, force=force)
    if as_json:
        print_json(envelope("done", "init", out=None if out is None else str(out), look=seen.as_json(), yaml=text))
    elif out is None:
        click.echo(text, nl=False)
    else:
        click.echo(f"wrote {out.name}: check it, then `modelyard run`")
