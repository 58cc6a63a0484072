"""A look at a user's data as a person sees it: what was found, what was assumed, what to change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from modelyard.chain.inspect_source import Look, look
from modelyard.chain.project import Project, load_project
from modelyard.chain.proposal import proposed_yaml, write_proposal

WIDEST_NAME = 24


def look_and_tell(project: Project, *, propose: bool = False) -> Look:
    """Look, and print it on stderr."""
    seen = look(project, propose=propose)
    first, *more = seen.lines()
    name = seen.file if len(seen.file) <= WIDEST_NAME else f"{seen.file}\n   "
    indent = " " * (len(seen.file) + 2 if len(seen.file) <= WIDEST_NAME else 5)
    click.echo(f"{name}  {printable(first)}", err=True)
    for line in more:
        click.echo(indent + printable(line), err=True)
    return seen


def printable(text: str) -> str:
    """Names and values from a file that cannot move the cursor or colour a terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def propose_and_tell(
    project: Project, data: str, folder: Path, settings: dict[str, Any], *, write: bool
) -> tuple[Look, Project]:
    """Look at data that have no modelyard.yaml yet, write the one that follows, and read the project from it."""
    seen = look_and_tell(project, propose=True)
    if not write:
        return seen, project
    text = proposed_yaml(seen, project.source(), folder, f"modelyard run {data}")
    path = write_proposal(text, folder)
    click.echo(f"wrote {path.name}: what was inferred; change what is wrong there, and run again", err=True)
    return seen, load_project(folder, None, settings)
