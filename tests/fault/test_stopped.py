"""Two runs at once, Ctrl-C and SIGTERM: who holds the workspace, what is kept, and the next run goes on."""

from __future__ import annotations

import shutil
import signal
import time
from pathlib import Path

import pytest

from tests.fault.conftest import Unbroken
from tests.fault.project import LIMIT_S, Ended, half_written, left_over, modelyard, run, started, stopped_by

pytestmark = pytest.mark.e2e


def test_the_second_of_two_runs_says_who_holds_the_workspace_and_status_reads_on(
    unbroken: Unbroken, tmp_path: Path
) -> None:
    project, workspace = unbroken.project, tmp_path / "workspace"
    with started(project, workspace) as first:
        assert first.stderr is not None
        next(line for line in first.stderr if line.startswith("ingest "))
        second = run(project, workspace)
        status = modelyard(project, workspace, "status")
        freed = modelyard(project, workspace, "gc")
        assert first.poll() is None
    assert second.code == freed.code == 3
    assert second.json["error"]["message"] == f"process {first.pid} is working in this workspace"
    assert freed.json["error"]["message"] == second.json["error"]["message"]
    assert (status.code, status.json["outcome"]) == (0, "running")
    # It was killed as the block ended.
    assert modelyard(project, workspace, "status").json["outcome"] == "interrupted"


def ctrl_c_after_step(step: int, project: Path, workspace: Path, arguments: tuple[str, ...]) -> Ended:
    """A run that gets Ctrl-C once it has a checkpoint beyond that step."""
    with started(project, workspace, *arguments) as process:
        until = time.monotonic() + LIMIT_S
        while all(int(path.name.removeprefix("step-")) <= step for path in workspace.rglob("step-*")):
            assert process.poll() is None, "it ended before it was stopped"
            assert time.monotonic() < until, f"no checkpoint beyond step {step}"
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        stdout, stderr = process.communicate(timeout=LIMIT_S)
        return Ended(process.returncode, stdout, stderr)


def test_ctrl_c_in_training_keeps_a_checkpoint_and_says_so(unbroken: Unbroken, tmp_path: Path) -> None:
    project, workspace = unbroken.project, tmp_path / "workspace"
    long = ("--to", "train", "--set", "train.epochs=400", "--set", "train.patience=400")
    stopped = ctrl_c_after_step(0, project, workspace, long)
    assert stopped.code == 130, stopped.stderr
    assert stopped.json["outcome"] == "interrupted"
    assert "kept: ingest, clean, split, train up to step " in stopped.json["error"]["message"]
    assert "stopped; kept: ingest, clean, split" in stopped.stderr
    assert "Traceback" not in stopped.stderr
    step = int(stopped.json["error"]["message"].rpartition("step ")[2].replace(",", ""))
    again = ctrl_c_after_step(step, project, workspace, long)
    assert int(again.json["error"]["message"].rpartition("step ")[2].replace(",", "")) > step
    status = modelyard(project, workspace, "status").json
    assert status["outcome"] == "interrupted"
    assert [stage["outcome"] for stage in status["stages"]] == ["cached"] * 3


def test_sigterm_while_servers_are_measured_stops_them_and_the_next_run_goes_on(
    unbroken: Unbroken, tmp_path: Path
) -> None:
    # A copy of a workspace is one too: all but the measured stages comes from its cache.
    project, workspace = unbroken.project, shutil.copytree(unbroken.workspace, tmp_path / "workspace")
    again = ("--from", "optimize")
    stopped = stopped_by(signal.SIGTERM, project, workspace, 3.0, after="export", arguments=again)
    assert stopped.code == 130, stopped.stderr
    assert "stopped; kept: ingest, clean, split, train, export" in stopped.stderr
    assert left_over(workspace, within_s=0.5) == []
    ended = run(project, workspace, *again)
    assert ended.code == 0, ended.stderr
    assert [ended.outcomes()[stage] for stage in ("train", "export", "optimize")] == ["cached", "cached", "done"]
    assert half_written(workspace) == []
