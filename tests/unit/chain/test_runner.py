"""The runner makes each stage once, takes the rest from its cache, and keeps the evidence of a failure."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from modelyard.chain.project import Project, load_project
from modelyard.chain.runner import ChainOutcome, plan, run_chain
from modelyard.chain.workspace import Workspace, holder
from modelyard.errors import BadConfig, EnvironmentProblem, GateFailed
from modelyard.store import Dataset
from tests.unit.tiny_bert import reviews


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


def test_a_stage_that_the_chain_does_not_have_is_refused_before_a_run_is_begun(
    tmp_path: Path, workspace: Workspace
) -> None:
    with pytest.raises(BadConfig, match="the stage augment is not in this chain"):
        run_chain(project(tmp_path), workspace, first="augment", last="split")
    assert workspace.ledger.last_run() is None


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


def test_a_lost_file_of_a_dataset_is_made_again(tmp_path: Path, workspace: Workspace) -> None:
    first = run_chain(project(tmp_path), workspace, last="split")
    cleaned = first.stages[1].output
    assert isinstance(cleaned, Dataset)
    workspace.store.object(cleaned.layers[-1].files[0], "parquet").unlink()
    second = run_chain(project(tmp_path), workspace, last="split")
    assert outcomes(second) == [("ingest", "cached"), ("clean", "done"), ("split", "cached")]


def test_a_run_that_is_asked_to_stop_does_not_start_the_next_stage(tmp_path: Path, workspace: Workspace) -> None:
    asked = threading.Event()
    with pytest.raises(KeyboardInterrupt):
        run_chain(project(tmp_path), workspace, told=lambda outcome: asked.set(), cancelled=asked)
    last = workspace.ledger.last_run()
    assert last is not None
    assert (last[0]["outcome"], [stage.stage for stage in last[1]]) == ("interrupted", ["ingest"])


def test_the_holder_is_named_while_it_works_and_nobody_after(workspace: Workspace) -> None:
    assert holder(workspace.root) is None
    with workspace.locked():
        assert holder(workspace.root) == f"process {os.getpid()}"
    assert holder(workspace.root) is None


def sides_by_text(chain: ChainOutcome) -> dict[str, str]:
    split = chain.stages[-1].output
    assert isinstance(split, Dataset)
    table = split.read(["text", "split"])
    return dict(zip(table["text"].to_pylist(), table["split"].to_pylist(), strict=True))


def test_a_row_keeps_its_side_when_the_file_grows_in_front_and_groups_grow_together(
    tmp_path: Path, workspace: Workspace
) -> None:
    old = [(text, label, f"user {place // 4}") for place, (text, label) in enumerate(reviews(400))]
    # Each new row belongs to one user and repeats, but for its case, a text of another: it ties two groups together.
    ties = [(old[place][0].upper(), old[place][1], f"user {place // 4 + 3}") for place in range(0, 320, 16)]
    new = [(f"{text} anew", label, f"new user {place}") for place, (text, label) in enumerate(reviews(80))]

    def run(rows: list[tuple[str, str, str]]) -> ChainOutcome:
        lines = ["text,label,user", *(",".join(row) for row in rows)]
        (tmp_path / "grown.csv").write_text("\n".join(lines) + "\n")
        settings = {"ingest": {"columns": {"group": "user"}}, "split": {"max_set_aside": 0.2}}
        chain = run_chain(load_project(tmp_path, str(tmp_path / "grown.csv"), settings), workspace, last="split")
        assert chain.error is None, chain.error
        return chain

    before = sides_by_text(run(old))
    grown = run([*ties, *new, *old[5:]])
    after = sides_by_text(grown)
    assert {text for text, _, _ in old[5:]} <= after.keys()
    assert all(after[text] == before[text] for text, _, _ in old[5:])
    assert {after[text] for text, _, _ in new} == {"train", "validation", "test"}
    again = run([*ties, *new, *old[5:]])
    assert [stage.outcome for stage in again.stages] == ["cached"] * 3


def test_bad_input_leaves_the_evidence_of_what_was_wrong(tmp_path: Path, workspace: Workspace) -> None:
    (tmp_path / "holes.csv").write_text("text,label\n" + "a text,good\n,bad\n" * 20)
    chain = run_chain(load_project(tmp_path, str(tmp_path / "holes.csv")), workspace, last="split")
    report = chain.stages[-1].report
    assert chain.outcome == "failed"
    assert report is not None
    assert report.info["details"]["set_aside_count"] == 20
