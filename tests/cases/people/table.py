"""What `modelyard run FILE --to split` infers from each file and says of it: the table of docs/files-we-accept.md."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from modelyard.cli import group
from tests.cases.people.files import Sent

ROOT = Path(__file__).resolve().parents[3]
PAGE = ROOT / "docs" / "files-we-accept.md"
HEAD = ("| file | what is in it | exit | what was inferred | what was said |", "| --- | --- | --- | --- | --- |")


@dataclass(frozen=True)
class Tried:
    """One file, run: its exit code, the JSON on stdout, what stood on stderr."""

    sent: Sent
    code: int
    answer: dict[str, Any]
    stderr: str

    def row(self) -> str:
        cells = (f"`{self.sent.name}`", self.sent.what, str(self.code), self._inferred(), self._said())
        return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"

    def _inferred(self) -> str:
        seen = self.answer.get("look")
        if seen is None:
            return "-"
        known = [seen["encoding"], seen["delimiter"], seen["format"] if seen["encoding"] is None else None]
        classes = ", ".join(f"{name} {count}" for name, count in list(seen["classes"].items())[:3])
        group = f", group `{seen['groups'][0]['column']}`" if seen["groups"] else ""
        return (
            f"{', '.join(each for each in known if each)}, {seen['rows']:,} rows; text `{seen['text']['column']}`, "
            f"label `{seen['label']['column']}` ({classes}){group}"
        )

    def _said(self) -> str:
        error = self.answer.get("error")
        if error is not None:
            return f"{error['message']}. Next: {error['next']}"
        seen = self.answer["look"]
        said = [f"{public}: {seen[public]['how']}" for public in ("text", "label") if seen[public]["how"] != "named"]
        if seen["set_aside"]:
            reasons = ", ".join(f"{count} × {reason}" for reason, count in seen["set_aside"].items())
            said.append(f"set aside: {reasons}")
        return "; ".join([*said, *seen["notes"]]) or "-"


def attempt(sent: Sent, folder: Path) -> Tried:
    """Write the file into an empty folder and run the command there."""
    sent.write(folder / sent.name)
    with _standing_in(folder):
        result = CliRunner().invoke(group, ["run", sent.name, "--to", "split", "--json"])
    answer = json.loads(result.stdout.replace(f"{folder.resolve()}/", "").replace(f"{folder}/", ""))
    return Tried(sent, result.exit_code, answer, result.stderr)


@contextmanager
def _standing_in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def rows_of_page() -> dict[str, str]:
    """The rows of the page by file name."""
    page = PAGE.read_text("utf-8").splitlines() if PAGE.is_file() else []
    return {line.split("`")[1]: line for line in page if line.startswith("| `")}
