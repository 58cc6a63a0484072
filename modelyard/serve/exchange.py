"""One HTTP request on its way."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferAnswer

Receive = Callable[[], Awaitable[dict[str, Any]]]


@dataclass(slots=True)
class Exchange:
    """One request on its way: what is known of it for the answer's headers, the log and the counters."""

    method: str
    path: str
    parts: list[str]
    headers: dict[bytes, bytes]
    receive: Receive
    identity: str
    started: float
    endpoint: Endpoint | None = None
    inferring: bool = False
    held: int = 0  # bytes of its body in memory
    answer: InferAnswer | None = None


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
