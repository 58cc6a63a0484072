"""The code of every stage, as recorded when its STAGE_VERSION was last thought about: `python -m tests.stage_versions`.

Results are cached by stage version, so a stage whose code changes what it makes must move its number, or old results
are taken for new ones. A test compares this record with the code and fails when a stage changed and the record did not.
"""

from __future__ import annotations

import ast
import hashlib
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TypedDict

ROOT = Path(__file__).resolve().parent.parent
STAGES = ROOT / "modelyard" / "stages"
TASKS = ROOT / "modelyard" / "tasks"
RECORD = Path(__file__).with_suffix(".json")


class Recorded(TypedDict):
    version: int
    hash: str


def stage_names() -> list[str]:
    """Every folder under modelyard/stages that holds code."""
    return sorted(folder.name for folder in STAGES.iterdir() if (folder / "__init__.py").is_file())


def stage_version(stage: str) -> int:
    """STAGE_VERSION of a stage, read from its code without importing it."""
    for file in sorted((STAGES / stage).glob("*.py")):
        if found := re.search(r"^STAGE_VERSION(?:: \w+)? = (\d+)$", file.read_text("utf-8"), re.MULTILINE):
            return int(found[1])
    raise LookupError(f"modelyard/stages/{stage} says no STAGE_VERSION = n")


# What every module reaches, and what no result depends on: messages, progress, paths of writing.
NOT_FOLLOWED = {"modelyard", "modelyard.errors", "modelyard.run", "modelyard.environment"}


def imported(file: Path) -> set[Path]:
    """Files of modelyard that a file imports, anywhere in it (also inside functions)."""
    found: set[Path] = set()
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            if name.split(".")[0] == "modelyard" and name not in NOT_FOLLOWED:
                place = ROOT.joinpath(*name.split("."))
                found.update(path for path in (place.with_suffix(".py"), place / "__init__.py") if path.is_file())
    return found


def files_of(stage: str) -> Iterator[Path]:
    """What a stage's results depend on: its folder, all that this imports of modelyard, and the tasks if it uses them.

    Tasks are loaded by name, so that no import leads to them.
    """
    own = [file for file in (STAGES / stage).rglob("*") if file.is_file() and file.suffix != ".pyc"]
    reached, waiting = set(own), [file for file in own if file.suffix == ".py"]
    while waiting:
        more = imported(waiting.pop())
        if any(file.is_relative_to(TASKS) for file in more):
            more |= set(TASKS.rglob("*.py"))
        waiting.extend(more - reached)
        reached |= more
    yield from sorted(reached)


def code_hash(stage: str) -> str:
    """SHA-256 over the names and bytes of a stage's files."""
    digest = hashlib.sha256()
    for file in files_of(stage):
        digest.update(
            f"{file.relative_to(ROOT).as_posix()}\0{hashlib.sha256(file.read_bytes()).hexdigest()}\n".encode()
        )
    return digest.hexdigest()


def current() -> dict[str, Recorded]:
    return {stage: {"version": stage_version(stage), "hash": code_hash(stage)} for stage in stage_names()}


def recorded() -> dict[str, Recorded]:
    record: dict[str, Recorded] = json.loads(RECORD.read_text("utf-8")) if RECORD.exists() else {}
    return record


def main() -> int:
    before, now = recorded(), current()
    RECORD.write_text(json.dumps(now, indent=2, sort_keys=True) + "\n", "utf-8")
    for stage in sorted(before.keys() | now.keys()):
        old, new = before.get(stage), now.get(stage)
        if old == new:
            continue
        if old is None or new is None:
            print(f"{stage}: {'new' if old is None else 'gone'}")
        elif old["version"] == new["version"]:
            print(f"{stage}: recorded at the same version {new['version']}: what it makes must not have changed")
        else:
            print(f"{stage}: version {old['version']} -> {new['version']}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
