"""kill -9 at any moment: nothing is lost, nothing half written is seen, the next run goes on to the same digests."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.fault.conftest import Unbroken
from tests.fault.project import STAGES, half_written, killed, left_over, modelyard, run, wrong_objects


def kill_and_go_on(unbroken: Unbroken, workspace: Path, stages: Sequence[str], seed: int) -> Counter[str]:
    """Kill the runs of one workspace again and again, move it half-way, then let a run finish.

    Two kills for each of `stages`: one a random while after the start of a run, one a random while after that stage
    has told its end, so that the kills are spread over the chain whatever the speed of the machine.
    Answers what was under way when the kills came.
    """
    generator = random.Random(seed)
    during: Counter[str] = Counter()
    again: tuple[str, ...] = ()
    for number, after in enumerate(each for stage in stages for each in (None, stage)):
        finished = len(STAGES)
        seconds = generator.uniform(0.02, 0.5 if after is None else 0.1) * unbroken.seconds
        ended = killed(unbroken.project, workspace, seconds, after=after, arguments=again)
        assert left_over(workspace) == []
        assert wrong_objects(workspace) == []
        if ended is not None:
            assert ended.code == 0, ended.stderr
            during["nothing: it had finished"] += 1
        else:
            finished = stages_told(unbroken.project, workspace)
            during[(*STAGES, "the end")[finished]] += 1
        if finished == len(STAGES):  # there would be nothing left to kill
            again = ("--from", generator.choice(STAGES))
        if number == len(stages) and workspace.exists():
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
    during = kill_and_go_on(unbroken, tmp_path / "workspace", ("split", "export", "optimize"), seed=8)
    assert during.total() == 6
    assert len(during) > 1, f"the kills must be spread over the stages: {during}"


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
def test_thirty_kills_at_random_moments_lose_nothing(unbroken: Unbroken, tmp_path: Path, seed: int) -> None:
    """Six in each of five workspaces."""
    generator = random.Random(seed)
    stages = [generator.choice(third) for third in (STAGES[:3], STAGES[3:5], STAGES[5:7])]
    during = kill_and_go_on(unbroken, tmp_path / "workspace", stages, seed)
    assert during.total() == 6
    assert len(during) > 1, f"the kills must be spread over the stages: {during}"
