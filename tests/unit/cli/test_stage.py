"""One stage on plain paths: settings by any of their names, and an object that tells a failure whole."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modelyard.cli import group


def call(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(group, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


@pytest.fixture
def ambiguous(tmp_path: Path) -> Path:
    lines = ["review,answer,label"]
    lines += [f"a review of thing {n},an answer to review {n},{'good' if n % 2 else 'bad'}" for n in range(100)]
    (tmp_path / "a.csv").write_text("\n".join(lines) + "\n")
    return tmp_path


def test_the_advice_of_an_error_works_as_it_is_printed(ambiguous: Path) -> None:
    lines = (ambiguous / "a.csv").read_text().replace("review,answer", "first,second", 1)
    (ambiguous / "a.csv").write_text(lines)
    code, answer = call("ingest", str(ambiguous / "a.csv"), "--out", str(ambiguous / "b"))
    assert code == 2
    advice = answer["error"]["next"].split("--set ")[1]
    assert advice == "ingest.columns.text=first"
    code, answer = call("ingest", str(ambiguous / "a.csv"), "--out", str(ambiguous / "b"), "--set", advice)
    assert (code, answer["rows_out"]) == (0, 100)


def test_a_stage_takes_its_own_settings_and_those_of_reading_its_input(ambiguous: Path) -> None:
    code, answer = call(
        *("split", str(ambiguous / "a.csv"), "--out", str(ambiguous / "b")),
        *("--set", "ingest.columns.text=answer", "--set", "seed=4", "--set", "split.balance=off"),
    )
    assert (code, answer["outcome"]) == (0, "done")


def test_a_modelyard_yaml_that_lies_there_is_not_read(ambiguous: Path) -> None:
    (ambiguous / "modelyard.yaml").write_text("nonsense: 1\n")
    code, _ = call("ingest", str(ambiguous / "a.csv"), "--out", str(ambiguous / "b"))
    assert code == 0


def test_a_failed_gate_is_told_with_what_was_measured_until_then(tmp_path: Path) -> None:
    (tmp_path / "twins.csv").write_text("text,label\n" + "the same text,a\n" * 30 + "another one,b\n" * 30)
    code, answer = call("clean", str(tmp_path / "twins.csv"), "--out", str(tmp_path / "b"))
    assert (code, answer["outcome"], answer["stage"]) == (1, "failed", "clean")
    assert [(gate["name"], gate["passed"]) for gate in answer["gates"]] == [("dropped", False)]
    assert (answer["rows_in"], answer["rows_out"]) == (60, 2)
    assert Path(answer["report"]).is_file()


def test_a_wrong_option_is_one_object_too(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "modelyard", "ingest", "a.csv", "--json"],
        capture_output=True,
        text=True,
        check=False,
        cwd=tmp_path,
    )
    answer = json.loads(done.stdout)
    assert (done.returncode, answer["outcome"], answer["error"]["kind"]) == (2, "failed", "bad_input")
    assert "--out" in answer["error"]["message"]
