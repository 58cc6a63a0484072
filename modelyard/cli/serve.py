"""`modelyard serve`: packages over REST and gRPC until a signal."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from modelyard.cli.output import common_options, print_json, verb
from modelyard.errors import BadInput

if TYPE_CHECKING:
    from modelyard.serve.server import Ready

OFF = "off"


def _port(text: str, option: str) -> int:
    """0 to 65535. Raises BadInput."""
    if not text.isdecimal() or int(text) > 65535:
        raise BadInput(f"{option} {text} is not a port", where=option, next=f"give {option} 8000, or 0 for a free one")
    return int(text)


def _announce(ready: Ready) -> None:
    """One line for a person, when one is there."""
    models = ", ".join(f"{model['name']}:{model['version']} ({model['variant']})" for model in ready.models)
    doors = f"http://{ready.host}:{ready.http_port}"
    if ready.grpc_port is not None:
        doors += f"  grpc {ready.host}:{ready.grpc_port}"
    click.echo(f"{models} ready  {doors}  (Ctrl+C stops)", err=True)


@click.command("serve")
@click.argument("packages", nargs=-1, required=True, metavar="PACKAGE|NAME@ALIAS...")
@click.option("--host", default="127.0.0.1", show_default=True, help="Other than loopback only with MODELYARD_TOKEN.")
@click.option("--http", "http", default="8000", show_default=True, metavar="PORT", help="0 is any free port.")
@click.option("--grpc", "grpc", default="8001", show_default=True, metavar="PORT|off", help="0 is any free port.")
@click.option("--workers", default=1, show_default=True, type=click.IntRange(1, 256), help="Compute threads.")
@click.option("--device", default="cpu", show_default=True, help="cpu, or the number of a GPU.")
@click.option("--variant", default=None, metavar="NAME", help="Serve this variant or none.")
@click.option("--allow-code", "allowed_code", multiple=True, metavar="DIGEST", help="Run a package's own code.")
@click.option("--workspace", default=None, type=click.Path(path_type=Path), envvar="MODELYARD_WORKSPACE")
@click.option("--read-timeout", default=30.0, show_default=True, type=click.FloatRange(0.1, 3600), metavar="SECONDS")
@click.option("--connections", default=1000, show_default=True, type=click.IntRange(1, 60_000), help="Over HTTP.")
@click.option("--log-level", default="info", type=click.Choice(["debug", "info", "warning", "error"]))
@click.option("--no-access-log", is_flag=True, help="No log line for each request.")
@common_options
@verb
def command(
    packages: tuple[str, ...],
    host: str,
    http: str,
    grpc: str,
    workers: int,
    device: str,
    variant: str | None,
    allowed_code: tuple[str, ...],
    workspace: Path | None,
    read_timeout: float,
    connections: int,
    log_level: str,
    no_access_log: bool,
    as_json: bool,
) -> None:
    """Serve packages over REST and gRPC (Open Inference Protocol V2).

    PACKAGE is a directory, served under the name in its package.json; NAME@ALIAS and NAME@VERSION come from the
    workspace. The server is ready when each model has given the right answers to its golden set.
    """
    from modelyard.serve import ServeSettings, read_token
    from modelyard.serve.server import serve

    settings = ServeSettings(
        targets=packages,
        workspace=workspace or Path(".modelyard"),
        host=host,
        http_port=_port(http, "--http"),
        grpc_port=None if grpc == OFF else _port(grpc, "--grpc"),
        workers=workers,
        device=device if not device.isdecimal() else f"cuda:{device}",
        variant=variant,
        log_level=log_level,
        access_log=not no_access_log,
        read_timeout_s=read_timeout,
        connections=connections,
        token=read_token(host),
        allowed_code=frozenset(allowed_code),
    )
    # Compute threads are counted by us; a library that starts its own would take the front end's core.
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

    def on_ready(ready: Ready) -> None:
        if as_json:
            print_json({"outcome": "ready", **ready.fields()})
            sys.stdout.flush()
        if sys.stderr.isatty():
            _announce(ready)

    serve(settings, on_ready)
