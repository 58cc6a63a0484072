"""Every verb ends the same way: one JSON object, an error in three parts, the exit code of its kind."""

from __future__ import annotations

import json
from collections.abc import Callable

import click
import pytest
from click.testing import CliRunner, Result

from modelyard.cli.output import common_options, envelope, print_json, verb
from modelyard.errors import BadInput, EnvironmentProblem, GateFailed, Waiting


def run(action: Callable[[], int | None], *arguments: str) -> Result:
    @click.command()
    @common_options
    @verb
    def command(as_json: bool) -> int | None:
        return action()

    return CliRunner().invoke(command, list(arguments))


def fail(error: BaseException) -> Callable[[], int | None]:
    def action() -> int | None:
        raise error

    return action


@pytest.mark.parametrize(
    ("error", "code", "kind", "outcome"),
    [
        (BadInput("no rows", where="a.csv, line 3", next="add rows"), 2, "bad_input", "failed"),
        (GateFailed("parity", 0.5, 0.001, "it differs"), 1, "gate", "failed"),
        (EnvironmentProblem("no disk"), 3, "environment", "failed"),
        (Waiting("labels", "two annotators", 3, 10), 0, "waiting", "waiting"),
        (RuntimeError("our mistake"), 70, "fault", "failed"),
        (KeyboardInterrupt(), 130, "interrupted", "interrupted"),
    ],
)
def test_an_error_ends_with_its_exit_code_and_one_json_object(
    error: BaseException, code: int, kind: str, outcome: str
) -> None:
    result = run(fail(error), "--json")
    shown = json.loads(result.stdout)
    assert result.exit_code == code
    assert (shown["outcome"], shown["error"]["kind"]) == (outcome, kind)


def test_an_error_says_what_where_and_what_to_do_now_without_a_traceback() -> None:
    result = run(fail(BadInput("no rows", where="a.csv, line 3", next="add rows")))
    assert result.stderr.splitlines() == ["error: no rows", "  where: a.csv, line 3", "  next:  add rows"]
    assert result.stdout == ""


def test_a_fault_keeps_its_traceback_in_a_file_and_debug_shows_it() -> None:
    quiet = run(fail(RuntimeError("our mistake")))
    assert "Traceback" not in quiet.output
    assert "modelyard-fault-" in quiet.stderr
    assert "Traceback" in run(fail(RuntimeError("our mistake")), "--debug").stderr


def test_json_output_holds_no_nan(capsys: pytest.CaptureFixture[str]) -> None:
    print_json(envelope("done", "clean", figures={"share": float("nan"), "big": [float("inf"), 1.5]}))
    strict = json.loads(capsys.readouterr().out, parse_constant=lambda constant: pytest.fail(constant))
    assert strict["figures"] == {"share": None, "big": [None, 1.5]}
