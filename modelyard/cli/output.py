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

from modelyard.errors import EnvironmentProblem, GateFailed, ModelyardError, Waiting

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
    from modelyard.store.digests import finite

    click.echo(json.dumps(finite(value), ensure_ascii=False, default=str))


def failed_envelope(error: ModelyardError) -> dict[str, Any]:
    """The object of a verb that an error ended: with what the stage had measured until then."""
    more: dict[str, Any] = {}
    if isinstance(error, Waiting):
        more["waiting"] = error.as_waiting()
    if error.evidence is not None and error.evidence.is_file():
        info = json.loads(error.evidence.read_bytes())
        more.update(report=str(error.evidence), figures=info["figures"], gates=info["gates"], **data_fields(info))
    return envelope(error_outcome(error), error.stage, error=error.as_json(), **more)


def data_fields(info: dict[str, Any]) -> dict[str, Any]:
    """What the contract adds for data stages: rows_in, rows_out, dropped, repaired, review, set_aside, ..."""
    details, figures = info["details"], info["figures"]
    if info["stage"] not in ("ingest", "clean", "split"):
        return {}
    fields: dict[str, Any] = {
        "rows_in": figures.get("rows_in", {}).get("value"),
        "rows_out": figures.get("rows_out", {}).get("value"),
        "dropped": details.get("dropped", {}),
        "repaired": details.get("repaired", {}),
        "review": details.get("review", 0),
        "set_aside": details.get("set_aside", []),
        "set_aside_count": details.get("set_aside_count", 0),
    }
    if info["stage"] == "ingest":
        fields["encoding"] = details.get("encoding")
        fields["columns"] = details.get("columns")
    return fields


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
                print_json(failed_envelope(error))
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
            if isinstance(error, OSError) and error.filename is not None:
                # A place that cannot be read or written; what was wrong with it the system says best.
                place = EnvironmentProblem(
                    f"{error.filename}: {(error.strerror or type(error).__name__).lower()}",
                    where=str(error.filename),
                    next="check that the path exists and that you may read and write it",
                )
                if as_json:
                    print_json(failed_envelope(place))
                print_error(place)
                sys.exit(place.exit_code)
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
