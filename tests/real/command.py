"""`modelyard` as a user types it, with --json."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any


def modelyard(folder: Path, *arguments: str) -> tuple[int, dict[str, Any], str]:
    """Exit code, the JSON object on stdout, stderr."""
    done = subprocess.run(
        [sys.executable, "-m", "modelyard", *arguments, "--json"],
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=900,
        check=False,
    )
    return done.returncode, json.loads(done.stdout), done.stderr


def reported(answer: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every figure of the release report that a command answered, by its name."""
    report = json.loads((Path(answer["report"]).parent / "report.json").read_bytes())
    return {figure["name"]: figure for figure in report["figures"]}
