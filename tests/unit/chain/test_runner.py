"""The runner makes each stage once, takes the rest from its cache, and keeps the evidence of a failure."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from modelyard.chain.project import Project, load_project
from modelyard.chain.runner import ChainOutcome, plan, run_chain
from modelyard.chain.workspace import Workspace
from modelyard.errors import EnvironmentProblem, GateFailed
from modelyard.store import Dataset
from tests.unit.tiny_bert import reviews


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    opened = Workspace(tmp_path / ".modelyard")
    yield opened
    opened.close()


def project(folder: Path, rows: int = 200, **settings: object) -> Project:
    lines = ["text,label", *(f"{text},{label}" for text, label in reviews(rows))]
    (folder / "reviews.csv").write_text("\n".join(lines) + "\n")
    return load_project(folder, str(folder / "reviews.csv"), dict(settings))


def outcomes(chain: ChainOutcome) -> list[tuple[str, str]]:
    return [(stage.stage, stage.outcome) for stage in chain.stages]


def test_a_second_run_is_cached_and_gives_the_same_digests(tmp_path: Path, workspace: Workspace) -> None:
    first = run_chain(project(tmp_path), workspace, last="split")
    second = run_chain(project(tmp_path), workspace, last="split")
    assert outcomes(first) == [("ingest", "done"), ("clean", "done"), ("split", "done")]
    assert outcomes(second) == [("ingest", "cached"), ("clean", "cached"), ("split", "cached")]
    assert [s.output.digest for s in first.stages if s.output] == [s.output.digest for s in second.stages if s.output]
    assert first.outcome == second.outcome == "done"


def test_a_changed_setting_makes_its_stage_anew_and_what_follows_only_if_that_changed(
    tmp_path: Path, workspace: Workspace
) -> None:
    run_chain(project(tmp_path), workspace, last="split")
    # No row is long enough for the bar to matter: clean runs, its output is the same, split comes from the cache.
    chain = run_chain(project(tmp_path, clean={"max_dropped": 0.5}), workspace, last="split")
    assert outcomes(chain) == [("ingest", "cached"), ("clean", "done"), ("split", "cached")]


def test_changed_data_make_every_stage_anew(tmp_path: Path, workspace: Workspace) -> None:
    run_chain(project(tmp_path, 200), workspace, last="split")
    chain = run_chain(project(tmp_path, 210), workspace, last="split")
    assert outcomes(chain) == [("ingest", "done"), ("clean", "done"), ("split", "done")]


def test_from_a_stage_on_everything_is_made_anew(tmp_path: Path, workspace: Workspace) -> None:
    run_chain(project(tmp_path), workspace, last="split")
    chain = run_chain(project(tmp_path), workspace, first="clean", last="split")
    assert outcomes(chain) == [("ingest", "cached"), ("clean", "done"), ("split", "done")]


def test_a_failed_gate_ends_the_run_and_leaves_its_evidence(tmp_path: Path, workspace: Workspace) -> None:
    lines = ["text,label"] + ["the same text,good"] * 50 + ["another text,bad"] * 50
    (tmp_path / "twins.csv").write_text("\n".join(lines) + "\n")
    chain = run_chain(load_project(tmp_path, str(tmp_path / "twins.csv")), workspace, last="split")
    assert outcomes(chain) == [("ingest", "done"), ("clean", "failed")]
    assert isinstance(chain.error, GateFailed)
    report = chain.stages[-1].report
    assert report is not None
    assert [(gate["name"], gate["passed"]) for gate in report.info["gates"]] == [("dropped", False)]
    last = workspace.ledger.last_run()
    assert last is not None
    assert last[0]["outcome"] == "failed"


def test_a_lost_object_is_made_again(tmp_path: Path, workspace: Workspace) -> None:
    first = run_chain(project(tmp_path), workspace, last="split")
    cleaned = first.stages[1].output
    assert isinstance(cleaned, Dataset)
    (workspace.store.root / "datasets" / f"{cleaned.digest}.json").unlink()
    second = run_chain(project(tmp_path), workspace, last="split")
    assert outcomes(second) == [("ingest", "cached"), ("clean", "done"), ("split", "cached")]


def test_a_plan_says_what_is_cached_and_changes_nothing(tmp_path: Path, workspace: Workspace) -> None:
    run_chain(project(tmp_path), workspace, last="clean")
    assert plan(project(tmp_path), workspace, "split") == [("ingest", "cached"), ("clean", "cached"), ("split", "run")]
    assert plan(project(tmp_path, 210), workspace, "split") == [("ingest", "run"), ("clean", "run"), ("split", "run")]


def test_a_moved_workspace_is_still_cached(tmp_path: Path) -> None:
    first = Workspace(tmp_path / "a")
    made = run_chain(project(tmp_path), first, last="split")
    first.close()
    (tmp_path / "a").rename(tmp_path / "b")
    second = Workspace(tmp_path / "b")
    moved = run_chain(project(tmp_path), second, last="split")
    second.close()
    assert {outcome for _, outcome in outcomes(moved)} == {"cached"}
    assert made.stages[-1].output is not None
    assert moved.stages[-1].output is not None
    assert moved.stages[-1].output.digest == made.stages[-1].output.digest


HOLDER = """
import sys, time
from pathlib import Path
from modelyard.chain.workspace import Workspace
with Workspace(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    time.sleep(60)
"""


def test_a_second_run_names_the_process_that_holds_the_workspace_and_a_killed_one_holds_nothing(
    tmp_path: Path, workspace: Workspace
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(workspace.root)], stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "locked\n"
        with pytest.raises(EnvironmentProblem, match=f"process {holder.pid} is working") as caught:
            run_chain(project(tmp_path), workspace, last="ingest")
        assert caught.value.exit_code == 3
        holder.kill()
        holder.wait()
    assert run_chain(project(tmp_path), workspace, last="ingest").outcome == "done"
