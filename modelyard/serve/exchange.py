"""One HTTP request on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from modelyard.serve.problems import Problem
from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferAnswer

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


@dataclass(slots=True)
class Exchange:
    """One request on its way: what is known of it for the answer's headers, the log and the counters."""

    method: str
    path: str
    parts: list[str]
    headers: dict[bytes, bytes]
    receive: Receive
    send: Send
    identity: str
    started: float
    endpoint: Endpoint | None = None
    inferring: bool = False
    held: int = 0  # bytes of its body in memory
    answer: InferAnswer | None = None
    streamed: bool = False  # piece by piece
    problem: Problem | None = None  # of an answer whose beginning was sent already

    async def begin(self, status: int, headers: list[tuple[bytes, bytes]]) -> None:
        """The head of the answer, with what all answers carry."""
        headers = [*headers, (b"x-request-id", self.identity.encode("latin-1"))]
        if self.endpoint is not None:
            headers.append((b"x-modelyard-version", self.endpoint.model.version.encode()))
        await self.send({"type": "http.response.start", "status": status, "headers": headers})

    async def send_body(self, body: bytes, *, more: bool) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": more})


class Gone(Exception):
    """The caller hung up."""


@dataclass(slots=True)
class Ring:
    """Cancels a task, and remembers that it did."""

    task: asyncio.Task[Any]
    rang: bool = False

    def __call__(self) -> None:
        self.rang = True
        self.task.cancel()
