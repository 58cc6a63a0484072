"""gc marks from versions, aliases and recent runs, and sweeps the rest, whole or not at all."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from modelyard.chain.gc import SCRATCH_DAYS, free
from modelyard.chain.project import load_project
from modelyard.chain.runner import run_chain
from modelyard.chain.workspace import Workspace
from modelyard.errors import Damaged
from modelyard.ledger import Result
from modelyard.store import Model, Package, Report
from modelyard.store.artifacts import write_index
from modelyard.store.atomic import hold
from tests.unit.tiny_bert import reviews


def artifact(workspace: Workspace, kind: type[Model] | type[Package] | type[Report], name: str) -> str:
    with workspace.store.new_directory() as folder:
        write_index(kind, folder, {"name": name})
        return workspace.store.add(kind, folder).digest


def run_to_split(workspace: Workspace, folder: Path, rows: int) -> dict[str, str]:
    lines = ["text,label", *(f"{text},{label}" for text, label in reviews(rows))]
    (folder / "reviews.csv").write_text("\n".join(lines) + "\n")
    chain = run_chain(load_project(folder, str(folder / "reviews.csv")), workspace, last="split")
    return {stage.stage: stage.outcome for stage in chain.stages}


def test_every_version_keeps_package_and_report_and_one_with_an_alias_all_it_was_made_from(
    workspace: Workspace,
) -> None:
    ledger, store = workspace.ledger, workspace.store
    for number, name in enumerate(("old", "champion"), start=1):
        model, package = artifact(workspace, Model, name), artifact(workspace, Package, name)
        report = artifact(workspace, Report, name)
        trained = artifact(workspace, Report, f"{name} trained")
        ledger.keep_result(Result(f"{number:064}", "train", "Model", model, trained, {"split": "s"}, 1.0))
        ledger.keep_result(Result(f"{number + 2:064}", "export", "Package", package, report, {"train": model}, 1.0))
        ledger.mint("reviews", package, report, True)
    ledger.point("reviews", "champion", 2)
    freed = free(workspace, keep_runs=0)
    assert {kind: count for kind, (count, _) in freed.by_kind().items()} == {"models": 1, "reports": 1}
    assert [store.has(Package, version.package) for version in ledger.versions()] == [True, True]
    assert [store.has(Report, version.report) for version in ledger.versions()] == [True, True]
    assert [store.get(Model, path.name).info["name"] for path in store.root.glob("models/*")] == ["champion"]
    assert sorted(result.stage for result in ledger.results()) == ["export", "export", "train"]


def test_what_the_last_runs_made_stays_cached_and_the_rest_goes(tmp_path: Path, workspace: Workspace) -> None:
    run_to_split(workspace, tmp_path, 210)
    run_to_split(workspace, tmp_path, 200)
    told = free(workspace, keep_runs=1, dry_run=True)
    freed = free(workspace, keep_runs=1)
    assert [item.path for item in freed.items] == [item.path for item in told.items]
    # The file shrank: had it grown, the new rows would share the parts of the old ones. Of the objects the rows and the
    # row ids of ingest, and split's: cleaning changed nothing in either run, and says so with the same files.
    assert {kind: count for kind, (count, _) in freed.by_kind().items()} == {"datasets": 3, "objects": 3, "reports": 3}
    assert not any(item.path.exists() for item in freed.items)
    assert set(run_to_split(workspace, tmp_path, 200).values()) == {"cached"}
    assert set(run_to_split(workspace, tmp_path, 210).values()) == {"done"}
    assert free(workspace, keep_runs=3).items == []


def test_runs_that_failed_do_not_push_a_good_one_out(tmp_path: Path, workspace: Workspace) -> None:
    run_to_split(workspace, tmp_path, 200)
    for _ in range(5):
        workspace.ledger.finish_run(workspace.ledger.start_run("broken.csv"), "failed")
    assert free(workspace, keep_runs=1).items == []


def test_what_a_running_process_holds_is_left(workspace: Workspace) -> None:
    package = artifact(workspace, Package, "served by its path")
    handle = hold(workspace.store.root / "packages" / package)
    freed = free(workspace)
    assert (freed.items, freed.in_use) == ([], 1)
    os.close(handle)
    assert len(free(workspace).items) == 1


def test_checkpoints_of_unfinished_work_stay_until_they_are_old(workspace: Workspace) -> None:
    young, old = (workspace.store.scratch(name) for name in ("young", "old"))
    for path in (young, old):
        (path / "step").write_text("1")
    past = time.time() - (SCRATCH_DAYS + 1) * 86400
    for path in (old / "step", old):
        os.utime(path, (past, past))
    assert [item.path for item in free(workspace).items] == [old]
    assert young.is_dir()


def test_a_needed_dataset_that_cannot_be_read_keeps_everything(tmp_path: Path, workspace: Workspace) -> None:
    run_to_split(workspace, tmp_path, 200)
    artifact(workspace, Package, "needed by nothing")
    next((workspace.store.root / "datasets").glob("*.json")).write_text("{}")
    with pytest.raises(Damaged, match="does not match its digest") as caught:
        free(workspace)
    assert "nothing was freed" in str(caught.value.next)
    assert len(list((workspace.store.root / "packages").iterdir())) == 1
