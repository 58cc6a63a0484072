"""What a verb prints and how it ends: the --json envelope, errors in three parts, exit codes."""

from __future__ import annotations

import functools
import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from modelyard.errors import GateFailed, ModelyardError, Waiting

INTERRUPTED = 130
FAULT = 70


def envelope(outcome: str, stage: str | None = None, **more: Any) -> dict[str, Any]:
    """The one JSON object of a verb: {outcome, stage, digest, out, report, figures, gates, ...}."""
    base: dict[str, Any] = {
        "outcome": outcome,
        "stage": stage,
        "digest": None,
        "out": None,
        "report": None,
        "figures": {},
        "gates": [],
    }
    base.update(more)
    return base


def print_json(value: dict[str, Any]) -> None:
    """One object on one line of stdout; what is not a finite number becomes null."""
    click.echo(json.dumps(_finite(value), ensure_ascii=False, default=str))


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if value == value and value not in (float("inf"), float("-inf")) else None
    if isinstance(value, dict):
        return {str(key): _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value


def print_error(error: ModelyardError) -> None:
    """What happened, where, what to do now; to stderr."""
    sign = click.style("waiting" if isinstance(error, Waiting) else "error", fg="yellow", bold=True)
    if not isinstance(error, Waiting):
        sign = click.style("failed" if isinstance(error, GateFailed) else "error", fg="red", bold=True)
    click.echo(f"{sign}: {error.message}", err=True)
    if error.where:
        click.echo(f"  where: {error.where}", err=True)
    if error.next:
        click.echo(f"  next:  {error.next}", err=True)


def error_outcome(error: ModelyardError) -> str:
    return "waiting" if isinstance(error, Waiting) else "failed"


def verb(function: Callable[..., int | None]) -> Callable[..., None]:
    """Turn a function that answers an exit code (None is 0) into the body of a click command.

    The command must have the options `as_json` and `debug` (see `common_options`).
    """

    @functools.wraps(function)
    def body(*args: Any, **kwargs: Any) -> None:
        as_json, debug = bool(kwargs.get("as_json")), bool(kwargs.pop("debug", False))
        try:
            code = function(*args, **kwargs) or 0
        except ModelyardError as error:
            if debug:
                traceback.print_exc()
            if as_json:
                print_json(envelope(error_outcome(error), error=error.as_json()))
            print_error(error)
            code = error.exit_code
        except KeyboardInterrupt as stopped:
            message, next = str(stopped) or "stopped", getattr(stopped, "next", "run the same command again")
            click.echo(f"{message}\n  next:  {next}", err=True)
            if as_json:
                print_json(
                    envelope(
                        "interrupted", error={"kind": "interrupted", "message": message, "where": None, "next": next}
                    )
                )
            code = INTERRUPTED
        except BrokenPipeError:
            code = 0
        except click.ClickException:
            raise
        except Exception as error:
            if problem := _full_disk(error):
                if as_json:
                    print_json(envelope("failed", error=problem.as_json()))
                print_error(problem)
                sys.exit(problem.exit_code)
            code = FAULT
            log = _keep_traceback()
            message = f"this is a fault of modelyard, not of your input: {type(error).__name__}: {error}"
            if debug:
                traceback.print_exc()
            if as_json:
                shown = {"kind": "fault", "message": message, "where": log, "next": "report it with this file"}
                print_json(envelope("failed", error=shown))
            click.echo(f"{click.style('fault', fg='red', bold=True)}: {message}", err=True)
            click.echo(f"  where: {log}\n  next:  report it with this file; --debug shows it here", err=True)
        sys.stdout.flush()
        sys.exit(code)

    return body


def _full_disk(error: Exception) -> ModelyardError | None:
    """A full disk that no one closer to it noticed: the ledger's, a scratch folder's."""
    from modelyard.full_disk import full_disk

    place = getattr(error, "filename", None)
    return full_disk(error, Path(place).absolute() if isinstance(place, str) else Path.cwd())


def _keep_traceback() -> str:
    try:
        with tempfile.NamedTemporaryFile("w", prefix="modelyard-fault-", suffix=".log", delete=False) as file:
            file.write(traceback.format_exc())
            return file.name
    except OSError as error:
        return f"nowhere: the log could not be written ({error.strerror})"


def common_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """--json and --debug, which every verb has."""
    command = click.option("--debug", is_flag=True, help="Show a traceback with an error.")(command)
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON object on stdout.")(command)
