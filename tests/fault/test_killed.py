"""kill -9 at any moment: nothing is lost, nothing half written is seen, the next run goes on to the same digests."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.fault.project import (
    PURE,
    STAGES,
    half_written,
    killed,
    left_over,
    make_project,
    modelyard,
    run,
    wrong_objects,
)


@dataclass(frozen=True)
class Unbroken:
    """A run that nobody kills: the digests of its pure stages, and the seconds that it took."""

    project: Path
    digests: dict[str, str]
    seconds: float


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> Unbroken:
    project = make_project(tmp_path_factory.mktemp("killed") / "project")
    started = time.monotonic()
    ended = run(project, project.parent / "unbroken")
    assert ended.code == 0, ended.stderr
    assert tuple(ended.digests()) == PURE
    return Unbroken(project, ended.digests(), time.monotonic() - started)


def kill_and_go_on(unbroken: Unbroken, workspace: Path, kills: int, seed: int) -> Counter[str]:
    """Kill the runs of one workspace again and again, move it half-way, then let a run finish.

    Every other kill comes a random while after the start, the rest a random while after a stage has told its end.
    Answers what was under way when the kills came.
    """
    generator = random.Random(seed)
    during: Counter[str] = Counter()
    finished = 0  # stages
    for number in range(kills):
        if number % 2 == 0 or finished == 0:
            ended = killed(unbroken.project, workspace, generator.uniform(0.02, 0.5) * unbroken.seconds)
        else:
            stage = STAGES[generator.randrange(finished - 1, min(finished + 2, len(STAGES) - 1))]
            ended = killed(unbroken.project, workspace, generator.uniform(0.0, 0.15) * unbroken.seconds, after=stage)
        assert left_over(workspace) == []
        assert wrong_objects(workspace) == []
        if ended is not None:
            assert ended.code == 0, ended.stderr
            during["nothing: it had finished"] += 1
        else:
            finished = stages_told(unbroken.project, workspace)
            during[(*STAGES, "the end")[finished]] += 1
        if number == kills // 2 and workspace.exists():
            workspace = workspace.rename(workspace.with_name("moved"))
    check_that_it_finishes(unbroken, workspace)
    return during


def stages_told(project: Path, workspace: Path) -> int:
    """How many stages `status` lists of a run that was killed."""
    status = modelyard(project, workspace, "status")
    if status.code != 0:
        assert "no workspace here" in status.stderr or "nothing has run" in status.stderr, status.stderr
        return 0
    assert status.json["outcome"] in ("interrupted", "done"), status.stdout
    return len(status.json["stages"])


def check_that_it_finishes(unbroken: Unbroken, workspace: Path) -> None:
    """The next run gives the digests of an unbroken one, and nothing of the killed ones is left."""
    ended = run(unbroken.project, workspace)
    assert ended.code == 0, ended.stderr
    assert ended.digests() == unbroken.digests
    assert half_written(workspace) == []
    assert wrong_objects(workspace) == []


@pytest.mark.e2e
def test_a_run_that_is_killed_again_and_again_and_moved_finishes_with_the_same_digests(
    unbroken: Unbroken, tmp_path: Path
) -> None:
    during = kill_and_go_on(unbroken, tmp_path / "workspace", kills=5, seed=8)
    assert len(during) > 1, f"the kills must be spread over the stages: {during}"


@pytest.mark.slow
def test_thirty_kills_at_random_moments_lose_nothing(
    unbroken: Unbroken, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    during: Counter[str] = Counter()
    for seed in range(5):
        (tmp_path / str(seed)).mkdir()
        during += kill_and_go_on(unbroken, tmp_path / str(seed) / "workspace", kills=6, seed=seed)
    record_property("under way when killed", dict(during))
    assert during.total() == 30
    assert set(during) >= {"train", "export", "optimize", "evaluate"}, during
