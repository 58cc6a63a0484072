"""The short modelyard.yaml that a look at the data leads to: what was inferred, each line with its reason."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

from modelyard.chain.inspect_source import Look
from modelyard.chain.project import FILE, Project, name_of
from modelyard.config import merge
from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.stages.ingest import task_of_source
from modelyard.store.atomic import write_bytes

COMMENT_COLUMN = 30
# Words that YAML would not read as text.
WORDS = {"true", "false", "null", "~", "yes", "no", "on", "off", "y", "n"}


def with_task_of_data(project: Project, settings: dict[str, Any]) -> dict[str, Any]:
    """The settings, with the task whose columns the project's data have, where the user named none."""
    if "task" in project.model_fields_set:
        return settings
    task = task_of_source(project.source(), project.ingest)
    return settings if task is None else merge({"task": task}, settings)


def quoted(value: str) -> str:
    """A YAML scalar that is read back as this text."""
    plain = re.fullmatch(r"[^\W\d][\w .-]*(?<![ .])", value) is not None and value.casefold() not in WORDS
    return value if plain else json.dumps(value, ensure_ascii=False)


def proposed_yaml(seen: Look, data: Path, folder: Path, said_by: str) -> str:
    """The file's text; `data` is written relative to `folder`. said_by: the command that wrote it."""
    place = Path(os.path.relpath(data, folder)).as_posix()
    rows = f"{seen.rows:,} rows" if seen.whole else f"looked at the first {seen.rows:,} rows"
    lines = [
        f"# Written by `{_comment(said_by)}` from a look at the data: change what is wrong, and run again.",
        _line(f"name: {quoted(name_of(str(data)))}", "the model is served under this name"),
        _line(f"task: {seen.task}", _task_said(seen)),
        _line(f"data: {quoted(place)}", f"{seen.kind()}, {rows}"),
    ]
    block = []
    if seen.details.get("encoding") not in (None, "utf-8", "utf-16"):
        block.append(_line(f"  encoding: {seen.details['encoding']}", "so that rows that are added are read the same"))
    if seen.details.get("header") is False:
        block.append(_line("  header: false", "the first row looks like data"))
    if seen.details["format"] != "modelyard":
        block += [
            "  columns:",
            *(
                _line(f"    {public}: {quoted(column)}", _found(seen.how[public]) + _classes(seen, public))
                for public, column in seen.columns.items()
            ),
        ]
        if seen.groups:
            names = ", ".join(quoted(group.column) for group in seen.groups)
            shown = names if len(seen.groups) == 1 else f"[{names}]"
            block.append(_line(f"    group: {shown}", "all rows of one stay on one side of the split"))
    if block:
        lines += ["ingest:", *block]
    return "\n".join(lines) + "\n"


def _task_said(seen: Look) -> str:
    inputs = ", ".join(public for public in seen.columns if public != seen.target)
    if seen.classes:
        return f"one {inputs} in, one of {len(seen.classes)} classes out"
    return f"{inputs} in, {seen.target} out"


def _classes(seen: Look, public: str) -> str:
    return f"; {seen.shown_classes()}" if public == seen.target and seen.classes else ""


def write_proposal(text: str, folder: Path, *, force: bool = False) -> Path:
    """Write modelyard.yaml whole or not at all. Raises BadInput when there is one, unless `force`."""
    path = folder / FILE
    if path.exists() and not force:
        raise BadInput(f"there is a {FILE} already", where=str(path), next="change it, or write it anew with --force")
    try:
        write_bytes(path, text.encode())
    except UnicodeEncodeError as error:
        raise BadInput("a name holds half a character and cannot be written down", next="rename the file") from error
    except OSError as error:
        raise EnvironmentProblem(
            f"{FILE} cannot be written: {error.strerror}", where=str(folder), next="work in a folder of your own"
        ) from error
    return path


def _found(how: str) -> str:
    return {"named": "by its name", "by name": "by its name", "by content": "by its content"}[how]


def _line(content: str, why: str) -> str:
    return f"{content:<{COMMENT_COLUMN}}# {_comment(why)}"


def _comment(text: str) -> str:
    """Text from a file that cannot break out of a comment."""
    return " ".join("".join(c if c.isprintable() else " " for c in text).split())
