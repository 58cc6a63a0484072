"""Start a server as a process, wait until it is ready, and always stop it."""

from __future__ import annotations

import contextlib
import http.client
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import IO

from modelyard.errors import EnvironmentProblem

HOST = "127.0.0.1"
READY = "/v2/health/ready"
STOP_LIMIT_S = 10.0
# A parent that was killed before its death could be asked for sends no signal: the child sees that it has another one.
IF_PARENT_LIVES = '[ "$PPID" = "$1" ] || exit 1; shift; exec "$@"'


@dataclass(frozen=True)
class Target:
    """A model that answers V2 requests: where, and which process does the work."""

    name: str
    port: int
    path: str
    input: str  # the public input that a request fills
    pid: int


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])


def _tail(log: IO[bytes], size: int = 2000) -> str:
    log.seek(0)
    return log.read().decode(errors="replace")[-size:].strip()


def _ready(port: int) -> bool:
    connection = http.client.HTTPConnection(HOST, port, timeout=2)
    try:
        connection.request("GET", READY)
        return connection.getresponse().status == 200
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def _inherited() -> dict[str, str]:
    """The environment without the access token: it is for servers that others reach, and the load sends none."""
    return {name: value for name, value in os.environ.items() if name != "MODELYARD_TOKEN"}


def _stop(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        process.terminate()
        try:
            process.wait(STOP_LIMIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
    process.wait()


@contextlib.contextmanager
def launched(
    command: Sequence[str], port: int, *, what: str, limit_s: float = 60.0, environment: Mapping[str, str] | None = None
) -> Iterator[int]:
    """The process id of a ready server. Give a Python command `-P`, so that nothing in the user's folder is imported.

    Where `setpriv` exists the server also ends when this process is killed: no orphan keeps a port.
    Raises EnvironmentProblem with the end of its log when it exits or is not ready within `limit_s`.
    """
    setpriv, shell = shutil.which("setpriv"), shutil.which("sh")
    if setpriv and shell:
        ask = [setpriv, "--pdeathsig", "TERM", "--", shell, "-c", IF_PARENT_LIVES, shell, str(os.getpid())]
        command = [*ask, *command]
    with tempfile.TemporaryFile() as log:
        started = time.perf_counter()
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            env={**_inherited(), **(environment or {})},
        )
        try:
            while not _ready(port):
                if process.poll() is not None:
                    raise EnvironmentProblem(
                        f"{what} ended with exit status {process.returncode} before it was ready",
                        where=_tail(log) or None,
                        next="its last words stand above",
                    )
                if time.perf_counter() - started > limit_s:
                    raise EnvironmentProblem(
                        f"{what} was not ready after {limit_s:.0f} s",
                        where=_tail(log) or None,
                        next="try again when the machine is less busy",
                    )
                time.sleep(0.02)
            yield process.pid
        finally:
            _stop(process)
