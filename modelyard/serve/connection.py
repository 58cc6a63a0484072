"""One HTTP connection with bounds: how large a head is, how long it may take, how many connections are open.

httptools and uvicorn have none of these: a head may be as long as memory, half a head holds its connection for ever,
and what is no HTTP is answered as plain text. Per request this costs two assignments; one timer looks at all
connections every second.
"""

from __future__ import annotations

import asyncio
import math
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPMethod, HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from modelyard.serve.problems import Problem, problem_body

HEAD_BYTES = 32 << 10
HEADERS = 100
URL_BYTES = 8 << 10
PIPELINED = 32  # requests of one connection that may wait for the one before
LINGER_S = 2.0  # after an early answer, for the caller to stop sending and read it
TICK_S = 1.0
KNOWN_METHODS = set(HTTPMethod)
_REQUEST_LINE = re.compile(rb"\s*([A-Za-z]{1,32}) [^\s]+ HTTP/1\.[01]\r?\n")
_STATUS_LINES = {status.value: f"HTTP/1.1 {status.value} {status.phrase}\r\n".encode() for status in HTTPStatus}


@dataclass(frozen=True)
class Limits:
    """read_s: for a head to come in, and for an answer to be taken; keep_alive_s: between two requests."""

    read_s: float
    keep_alive_s: float
    connections: int


class Doorkeeper:
    """The open connections of one server, oldest silence first out when there are too many."""

    def __init__(self, limits: Limits, on_refused: Callable[[Problem], None]) -> None:
        """on_refused is told of every request that was refused before anything could route it."""
        self.limits = limits
        self.on_refused = on_refused
        self._open: set[Connection] = set()
        self._ticking = False

    def admit(self, connection: Connection) -> None:
        """One more. Beyond the limit the connection that has been silent longest makes room; with none, it is 503."""
        if len(self._open) >= self.limits.connections:
            silent = [other for other in self._open if not other.busy]
            if silent:
                oldest = min(silent, key=lambda other: other.due)
                self._open.discard(oldest)
                oldest.drop()
            else:
                connection.refuse(Problem(503, f"{len(self._open)} connections are open, no more", retry_after=1))
        self._open.add(connection)
        if not self._ticking:
            self._ticking = True
            asyncio.get_running_loop().call_later(TICK_S, self._tick)

    def forget(self, connection: Connection) -> None:
        self._open.discard(connection)

    def _tick(self) -> None:
        now = time.monotonic()
        for connection in list(self._open):
            connection.look_at_clock(now)
        self._ticking = bool(self._open)
        if self._ticking:
            asyncio.get_running_loop().call_later(TICK_S, self._tick)


class _Transport:
    """What a request's answer is written to: closing waits for a caller that still sends."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self.write = connection.transport.write
        self.is_closing = connection.transport.is_closing

    def close(self) -> None:
        self._connection.close_gently()


class Connection(HttpToolsProtocol):
    """uvicorn's, with bounds, and with every refusal as {"error": "..."}."""

    def __init__(self, *arguments: Any, keeper: Doorkeeper, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._keeper = keeper
        self._head_bytes = 0
        self._in_head = False  # a head has begun and not ended
        self._whole = True  # the last request has come in to its end
        self._refusal: Problem | None = None
        self._lingering = False
        self._stuck_since = math.inf  # the caller does not take its answer
        self._closing_since = math.inf
        self.due = math.inf  # when the clock may end it

    @property
    def busy(self) -> bool:
        """Whether an answer is on its way."""
        return self.cycle is not None and not self.cycle.response_complete and not self.cycle.disconnected

    # What the transport tells -----------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._answers = _Transport(self)
        self.due = time.monotonic() + self._keeper.limits.read_s
        self._keeper.admit(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._keeper.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._refusal is not None or self._lingering:
            return  # read and thrown away, so that the caller gets to read its answer
        self._unset_keepalive_if_required()
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            # Nothing else is spoken here: answered as the plain request that it is, and then closed.
            if self.cycle is not None:
                self.cycle.keep_alive = False
        except httptools.HttpParserError as error:
            self.refuse(_not_http(error, data))
        if self._in_head:
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES:
                self.refuse(Problem(431, f"the head of the request is larger than {HEAD_BYTES} bytes"))

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """The caller sends no more. In the middle of a request it is told so; else it has hung up."""
        if not self._lingering and self._refusal is None and not self._whole:
            part = "head" if self._in_head else "body"
            self.refuse(Problem(400, f"the connection was closed in the middle of the request's {part}"))
        return None

    def pause_writing(self) -> None:
        self._stuck_since = time.monotonic()
        super().pause_writing()

    def resume_writing(self) -> None:
        self._stuck_since = math.inf
        super().resume_writing()

    # What the parser tells --------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._in_head, self._whole, self._head_bytes = True, False, 0
        self.due = time.monotonic() + self._keeper.limits.read_s

    def on_headers_complete(self) -> None:
        if self._refusal is not None:
            return
        self._in_head = False
        problem = _check_head(self.url, self.headers)
        if problem is None and len(self.pipeline) >= PIPELINED:
            problem = Problem(429, f"{PIPELINED} requests of this connection wait already")
        if problem is not None:
            self.refuse(problem)
            return
        self.due = math.inf
        super().on_headers_complete()
        self.cycle.transport = self._answers  # type: ignore[assignment]

    def on_body(self, body: bytes) -> None:
        if self._refusal is None:
            super().on_body(body)

    def on_message_complete(self) -> None:
        if self._refusal is None:
            self._whole = True
            super().on_message_complete()

    # Answers ----------------------------------------------------------------------------------------------------

    def on_response_complete(self) -> None:
        if self._lingering:
            self.server_state.total_requests += 1
            return
        super().on_response_complete()
        if self.transport.is_closing() or self.busy:
            return
        if self._refusal is not None:
            self._send_refusal(self._refusal)
        elif not self._in_head:
            if not self._whole:  # answered before its body came
                self.close_gently()
            self.due = time.monotonic() + (LINGER_S if self._lingering else self._keeper.limits.keep_alive_s)

    def refuse(self, problem: Problem) -> None:
        """Answer in place of the application, after what is being answered already, and close."""
        if self._refusal is not None:
            return
        self._refusal = problem
        if self.busy and not (self._whole or self._in_head or self.pipeline):
            # The body of the very request that is being answered: it will never be whole.
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if not self.busy:
            self._send_refusal(problem)

    def _send_refusal(self, problem: Problem) -> None:
        self._keeper.on_refused(problem)
        body = problem_body(problem)
        head = [_STATUS_LINES[problem.status], b"content-type: application/json\r\nconnection: close\r\n"]
        head.append(b"content-length: %d\r\n" % len(body))
        if problem.retry_after is not None:
            head.append(b"retry-after: %d\r\n" % problem.retry_after)
        if problem.allow:
            head.append(b"allow: %s\r\n" % ", ".join(problem.allow).encode())
        self.transport.write(b"".join((*head, b"\r\n", body)))
        self._whole = False
        self.close_gently()

    def close_gently(self) -> None:
        """Close; while the caller still sends, say that we send no more and throw away what comes.

        Closing at once would reset the connection, and the caller would never see its answer.
        """
        if self._whole or not self.transport.can_write_eof():
            self.transport.close()
        elif not self._lingering and not self.transport.is_closing():
            self._lingering = True
            self.due = time.monotonic() + LINGER_S
            self.flow.resume_reading()
            self.transport.write_eof()

    def drop(self) -> None:
        """Make room for another."""
        if self._lingering:
            self.transport.abort()
        else:
            self.transport.close()

    def look_at_clock(self, now: float) -> None:
        """Called every second."""
        read_s = self._keeper.limits.read_s
        if self.transport.is_closing():
            self._closing_since = min(self._closing_since, now)
        if now - min(self._stuck_since, self._closing_since) > read_s:
            self.transport.abort()
        elif now < self.due or self.busy:
            return
        elif self._lingering:
            self.transport.abort()
        elif self._in_head:
            self.refuse(Problem(408, f"the head of the request did not come in within {read_s:g} s"))
        else:
            self.transport.close()


def _check_head(url: bytes, headers: list[tuple[bytes, bytes]]) -> Problem | None:
    if len(url) > URL_BYTES:
        return Problem(414, f"the URL has {len(url)} bytes, the limit is {URL_BYTES}")
    if len(headers) > HEADERS:
        return Problem(431, f"the request has {len(headers)} headers, the limit is {HEADERS}")
    size = sum(len(name) + len(value) for name, value in headers)
    if size > HEAD_BYTES:
        return Problem(431, f"the headers have {size} bytes, the limit is {HEAD_BYTES}")
    return None


def _not_http(error: Exception, data: bytes) -> Problem:
    """What the parser did not like; a method that it does not know is no broken request."""
    line = _REQUEST_LINE.match(data)
    if line is not None and line[1].decode() not in KNOWN_METHODS:
        return Problem(405, f"the method {line[1].decode()} is not known here", allow=("GET", "HEAD", "POST"))
    return Problem(400, f"this is not an HTTP/1.1 request: {error.__context__ or error}")
