"""A real `modelyard serve` process for a test, always ended by its own id."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

LIMIT_S = 30.0


@dataclass
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Served:
    """A running server: its process, its log, its ports once it is ready."""

    process: subprocess.Popen[bytes]
    log: Path
    http: int = 0
    grpc: int = 0

    def events(self) -> list[dict[str, Any]]:
        """The whole lines of its log that are JSON."""
        lines = self.log.read_bytes().split(b"\n")[:-1]
        return [json.loads(line) for line in lines if line.startswith(b"{")]

    def event(self, action: str) -> dict[str, Any]:
        """Wait for the event of that action."""
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            for event in self.events():
                if event.get("event.action") == action:
                    return event
            if self.process.poll() is not None and action != "stopped":
                raise AssertionError(f"the server ended with {self.process.returncode}: {self.log.read_text()}")
            time.sleep(0.01)
        raise AssertionError(f"no {action} within {LIMIT_S} s: {self.log.read_text()}")

    def ask(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> Answer:
        """One HTTP request on a connection of its own; a body that is not bytes is sent as JSON."""
        connection = http.client.HTTPConnection("127.0.0.1", self.http, timeout=LIMIT_S)
        try:
            data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, data, dict(headers or {}))
            response = connection.getresponse()
            return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()

    def infer(self, *texts: str, model: str = "reviews", **more: Any) -> Answer:
        tensor = {"name": "text", "datatype": "BYTES", "shape": [len(texts)], "data": list(texts)}
        return self.ask("POST", f"/v2/models/{model}/infer", {"inputs": [tensor], **more})

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Signal it and wait; its exit code."""
        self.process.send_signal(number)
        return self.process.wait(LIMIT_S)


@contextlib.contextmanager
def serving(
    folder: Path, *arguments: str, wait: bool = True, environment: Mapping[str, str] | None = None
) -> Iterator[Served]:
    """`modelyard serve ARGUMENTS` on free ports; its log lies in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    log = folder / "server.log"
    command = [sys.executable, "-m", "modelyard", "serve", *arguments]
    if "--http" not in arguments:
        command += ["--http", "0"]
    if "--grpc" not in arguments:
        command += ["--grpc", "0"]
    with log.open("wb") as stream:
        process = subprocess.Popen(command, stdout=stream, stderr=stream, env={**os.environ, **(environment or {})})
    served = Served(process, log)
    try:
        if wait:
            ready = served.event("ready")
            served.http, served.grpc = ready["modelyard.http.port"], ready["modelyard.grpc.port"] or 0
        yield served
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
