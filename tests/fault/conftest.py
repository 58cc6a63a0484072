"""One run that nothing disturbs, for all tests of this folder to be held against."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fault.project import PURE, make_project, run
from tests.fault.small_disk import small_disk

__all__ = ["small_disk", "unbroken"]


@dataclass(frozen=True)
class Unbroken:
    """The project, the workspace of a whole run on it, the digests of its pure stages, the seconds that it took."""

    project: Path
    workspace: Path
    digests: dict[str, str]
    seconds: float


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    project = make_project(tmp_path_factory.mktemp("unbroken") / "project")
    workspace = project.parent / "workspace"
    started = time.monotonic()
    ended = run(project, workspace)
    assert ended.code == 0, ended.stderr
    assert tuple(ended.digests()) == PURE
    return Unbroken(project, workspace, ended.digests(), time.monotonic() - started)
