"""HTTP as bytes on a socket, for requests that no client library would send."""

from __future__ import annotations

import contextlib
import json
import socket
from dataclasses import dataclass
from typing import Any

INFER = "/v2/models/reviews/infer"
GOOD = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"]}]}


@dataclass
class Heard:
    """One answer as it came over the wire."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def error(self) -> str:
        """Of {"error": "..."} and nothing else."""
        shown = json.loads(self.body)
        assert list(shown) == ["error"], shown
        return str(shown["error"])


def head(method: str, path: str, *lines: str, version: str = "HTTP/1.1") -> bytes:
    """A request's head, its empty line too."""
    return "\r\n".join((f"{method} {path} {version}", "host: x", *lines, "", "")).encode("latin-1")


def posted(body: bytes, *lines: str, path: str = INFER) -> bytes:
    """A whole POST."""
    return head("POST", path, f"content-length: {len(body)}", *lines) + body


def good(*lines: str) -> bytes:
    return posted(json.dumps(GOOD).encode(), *lines)


class Wire:
    """A connection to the server under test."""

    def __init__(self, port: int, timeout: float = 15.0) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=timeout)
        self._rest = b""

    def __enter__(self) -> Wire:
        return self

    def __exit__(self, *_: object) -> None:
        self.socket.close()

    def send(self, data: bytes) -> Wire:
        """Also what the server does not want to read any more: it may have answered already."""
        with contextlib.suppress(BrokenPipeError, ConnectionResetError):
            self.socket.sendall(data)
        return self

    def answer(self, method: str = "POST") -> Heard:
        """The next answer. Raises EOFError when the connection is closed without one."""
        while b"\r\n\r\n" not in self._rest:
            self._read()
        top, _, self._rest = self._rest.partition(b"\r\n\r\n")
        first, *lines = top.decode("latin-1").split("\r\n")
        headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
        size = 0 if method == "HEAD" else int(headers["content-length"])
        while len(self._rest) < size:
            self._read()
        body, self._rest = self._rest[:size], self._rest[size:]
        return Heard(int(first.split()[1]), headers, body)

    def _read(self) -> None:
        piece = self.socket.recv(65536)
        if not piece:
            raise EOFError(f"the server closed the connection after {self._rest!r}")
        self._rest += piece

    def closed(self) -> bool:
        """Waits for the server to close; False when it says something first."""
        try:
            return self.socket.recv(1) == b""
        except ConnectionResetError:
            return True


def ask(port: int, data: bytes, method: str = "POST") -> Heard:
    """Send these bytes on a connection of their own."""
    with Wire(port) as wire:
        return wire.send(data).answer(method)


def infer_body(**change: Any) -> bytes:
    return json.dumps({"inputs": [{**GOOD["inputs"][0], **change}]}).encode()


def of_texts(*values: str) -> bytes:
    """The body that asks for these texts."""
    return infer_body(shape=[len(values)], data=list(values))
