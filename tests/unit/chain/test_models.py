"""Promoting, rolling back and listing, as typed: what moves, what refuses, what stays on record."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modelyard.chain.project import load_project
from modelyard.chain.steps import CHAIN, Inputs
from modelyard.chain.workspace import Workspace
from modelyard.cli import group
from modelyard.run import Run
from modelyard.store import Package, Report
from modelyard.store.artifacts import write_index


def report(workspace: Workspace, accuracy: float, passed: bool) -> str:
    with workspace.store.new_directory() as folder:
        figures = {"accuracy": {"value": accuracy}, "latency_p50_ms": {"value": 4.25}}
        gate = {"name": "accuracy", "value": accuracy, "bar": 0.8, "comparison": "at_least", "passed": passed}
        content = {"format": 1, "stage": "release", "figures": figures, "gates": [gate], "details": {}}
        held = {"gates": [gate], "override": None, "verdict": "as the gates say"}
        (folder / "report.json").write_text(json.dumps(held))
        write_index(Report, folder, content)
        return workspace.store.add(Report, folder).digest


def package(workspace: Workspace, number: int) -> str:
    with workspace.store.new_directory() as folder:
        write_index(Package, folder, {"format": 1, "name": "reviews", "number": number})
        return workspace.store.add(Package, folder).digest


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Two good versions, then one that was released over a gate that failed."""
    workspace = Workspace(tmp_path / "w")
    for number, accuracy in ((1, 0.85), (2, 0.9), (3, 0.5)):
        passed = accuracy > 0.8
        workspace.ledger.mint(
            "reviews",
            package(workspace, number),
            report(workspace, accuracy, passed),
            passed,
            None if passed else "a try",
        )
        if passed:
            workspace.ledger.point("reviews", "champion", number)
    workspace.close()
    return workspace.root


def call(root: Path, *words: str) -> tuple[int, dict[str, Any], str]:
    result = CliRunner().invoke(group, [*words, "--workspace", str(root), "--json"])
    return result.exit_code, json.loads(result.stdout), result.stderr


def champion(root: Path) -> int | None:
    _, answer, _ = call(root, "models", "reviews")
    return next((each["version"] for each in answer["versions"] if "champion" in each["aliases"]), None)


def test_a_rollback_moves_the_alias_back_and_then_there_is_nothing_to_undo(root: Path) -> None:
    code, answer, _ = call(root, "rollback", "reviews")
    assert (code, answer["before"], answer["version"], answer["moved"]) == (0, 2, 1, True)
    assert champion(root) == 1
    code, answer, stderr = call(root, "rollback", "reviews")
    assert code == 2
    assert "nothing to undo" in answer["error"]["message"]
    assert "modelyard promote reviews VERSION" in stderr
    assert champion(root) == 1


def test_a_rollback_from_a_version_is_the_same_when_it_is_called_again(root: Path) -> None:
    assert call(root, "rollback", "reviews", "--from", "2")[1]["moved"] is True
    code, answer, _ = call(root, "rollback", "reviews", "--from", "2")
    assert (code, answer["moved"], answer["version"]) == (0, False, 1)


def test_running_the_chain_again_does_not_take_a_rollback_back(root: Path, tmp_path: Path) -> None:
    workspace = Workspace(root)
    ledger = workspace.ledger
    project = load_project(tmp_path, None, {"name": "reviews"})

    def released_again(version: int) -> Run:
        """What release does at its end, from the cache or not."""
        minted = ledger.version("reviews", version)
        run = Run(workspace.store)
        made = {"optimize": workspace.store.get(Package, minted.package)}
        release = next(step for step in CHAIN if step.name == "release")
        assert release.effect is not None
        release.effect(Inputs(project, made, {}, workspace), run, workspace.store.get(Report, minted.report))
        return run

    ledger.undo("reviews", "champion")
    assert "modelyard promote reviews 2" in released_again(2).details["warnings"][0]
    assert ledger.alias("reviews", "champion") == 1
    ledger.point("reviews", "champion", 2)
    released_again(2)
    assert ledger.alias("reviews", "champion") == 2
    ledger.undo("reviews", "champion")
    ledger.mint("reviews", package(workspace, 4), report(workspace, 0.9, True), True, alias="champion")
    assert ledger.alias("reviews", "champion") == 4  # a new version takes it over
    workspace.close()


def test_a_promotion_moves_forward_and_a_second_one_changes_nothing(root: Path) -> None:
    call(root, "rollback", "reviews")
    assert call(root, "promote", "reviews", "2")[1]["moved"] is True
    code, answer, _ = call(root, "promote", "reviews", "2")
    assert (code, answer["moved"]) == (0, False)
    code, answer, _ = call(root, "promote", "reviews", "1", "--alias", "stable")
    assert (code, answer["before"], answer["version"]) == (0, None, 1)


def test_a_version_whose_gate_failed_is_promoted_only_with_a_reason_that_stays(root: Path) -> None:
    code, answer, _ = call(root, "promote", "reviews", "3")
    assert (code, answer["error"]["kind"]) == (1, "gate")
    assert "--override REASON" in answer["error"]["next"]
    assert champion(root) == 2
    assert call(root, "promote", "reviews", "3", "--override", " ")[0] == 2
    assert call(root, "promote", "reviews", "3", "--override", "the old one is down")[0] == 0
    workspace = Workspace(root)
    with workspace.ledger.engine.connect() as connection:
        reasons = connection.exec_driver_sql("SELECT after, reason FROM alias_moves ORDER BY id").fetchall()
    workspace.close()
    assert reasons[-1] == (3, "the old one is down")


def test_models_lists_versions_with_their_gates_and_figures(root: Path) -> None:
    _, answer, _ = call(root, "models")
    shown = [(v["version"], v["accuracy"], v["latency_p50_ms"], v["passed"], v["aliases"]) for v in answer["versions"]]
    assert shown == [(1, 0.85, 4.25, True, []), (2, 0.9, 4.25, True, ["champion"]), (3, 0.5, 4.25, False, [])]
    assert answer["versions"][2]["gates_failed"] == ["accuracy"]
    text = CliRunner().invoke(group, ["models", "--workspace", str(root)]).stdout
    assert "reviews:2" in text
    assert "overridden" in text.splitlines()[3]


@pytest.mark.parametrize("words", [["rollback", "review"], ["promote", "review", "1"], ["models", "review"]])
def test_an_unknown_name_names_the_nearest(root: Path, words: list[str]) -> None:
    code, answer, _ = call(root, *words)
    assert (code, answer["error"]["next"]) == (2, "did you mean reviews?")


def test_an_unknown_version_names_those_there_are(root: Path) -> None:
    assert call(root, "promote", "reviews", "9")[1]["error"]["next"] == "its versions: 1, 2, 3"


def test_a_folder_without_a_workspace_stays_without_one(tmp_path: Path) -> None:
    code, answer, _ = call(tmp_path / "none", "rollback", "reviews")
    assert (code, answer["error"]["message"]) == (2, "there is no workspace here")
    assert not (tmp_path / "none").exists()
