"""How one server runs."""

from __future__ import annotations

import ipaddress
import os
from dataclasses import dataclass, field
from pathlib import Path

from modelyard.errors import EnvironmentProblem

READ_RATE = 64 << 10  # bytes a second
TOKEN = "MODELYARD_TOKEN"  # noqa: S105 - the name of the variable, not a token


@dataclass(frozen=True)
class ServeSettings:
    """targets: package directories or NAME@ALIAS / NAME@VERSION. Ports: 0 is any free one; grpc_port None is off."""

    targets: tuple[str, ...]
    workspace: Path = Path(".modelyard")
    host: str = "127.0.0.1"
    http_port: int = 8000
    grpc_port: int | None = 8001
    workers: int = 1
    device: str = "cpu"
    variant: str | None = None
    log_level: str = "info"
    access_log: bool = True
    body_bytes: int = 32 << 20
    queue_items: int = 1024
    timeout_s: float = 30.0  # a request that waits longer is answered 408 and not computed
    read_timeout_s: float = 30.0  # for a head to come in; for a body, and one second more for every READ_RATE bytes
    connections: int = 1000  # HTTP; one more, and the one that has been silent longest is closed
    held_bytes: int = 256 << 20  # of bodies that are being read or answered, all together
    drain_s: float = 30.0  # for requests in flight after SIGTERM
    token: str | None = field(default=None, repr=False)
    allowed_code: frozenset[str] = frozenset()  # digests of the code of users' own tasks that may run here


def is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def read_token(host: str) -> str | None:
    """The bearer token from the environment. Raises EnvironmentProblem when others could reach a server without one."""
    token = os.environ.get(TOKEN) or None
    if token is None and not is_loopback(host):
        raise EnvironmentProblem(
            f"--host {host} lets other machines in, and no token is set",
            where="--host",
            next=f"set {TOKEN} to a secret that clients send as `Authorization: Bearer ...`, or leave out --host",
        )
    return token
