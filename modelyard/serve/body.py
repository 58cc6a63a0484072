"""Reading the body of an HTTP request within its limits of size, time and memory."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from modelyard.serve.exchange import Exchange, Gone, Ring
from modelyard.serve.handler import Handler
from modelyard.serve.problems import Problem
from modelyard.serve.rest_codec import check_content_type, decompress
from modelyard.serve.settings import READ_RATE


class Bodies:
    """Of all requests of one server."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._unpacker = ThreadPoolExecutor(1, "unpack")

    async def read(self, exchange: Exchange) -> bytes:
        """Raises Problem 413 beyond the limit, 408 when it does not come in, 415 for what cannot be JSON."""
        limit = self._handler.settings.body_bytes
        check_content_type(exchange.headers.get(b"content-type"))
        length = exchange.headers.get(b"content-length")
        too_large = Problem(413, f"the body is larger than {limit} bytes")
        if length is not None and length.isdigit() and int(length) > limit:
            raise too_large
        began = time.monotonic()
        message = await self._receive(exchange, began)
        body: bytes = message.get("body", b"")
        self._hold(exchange, len(body))
        if message.get("more_body", False):
            chunks = [body]
            while message.get("more_body", False):
                message = await self._receive(exchange, began)
                chunks.append(message.get("body", b""))
                self._hold(exchange, len(chunks[-1]))
                if exchange.held > limit:
                    raise too_large
            body = b"".join(chunks)
        if len(body) > limit:
            raise too_large
        encoding = exchange.headers.get(b"content-encoding")
        if encoding in (None, b"identity"):
            return body
        # A small body may unpack to a large one: not on the event loop, and one at a time.
        plain: bytes = await asyncio.get_running_loop().run_in_executor(
            self._unpacker, decompress, body, encoding.decode("latin-1"), limit
        )
        self._hold(exchange, len(plain))
        return plain

    def _hold(self, exchange: Exchange, size: int) -> None:
        """Count a piece of the body. Raises Problem 429 when all bodies together take too much."""
        self._handler.held.hold(size)
        exchange.held += size

    async def _receive(self, exchange: Exchange, began: float) -> dict[str, Any]:
        """The next piece of the body. Raises Problem 408 when it does not come, Gone when the caller hung up.

        Pieces that come one byte at a time buy no time: what is in must have come at READ_RATE at least.
        """
        allowed_s = self._handler.settings.read_timeout_s + exchange.held / READ_RATE
        with self._cancelled_after(began + allowed_s - time.monotonic()) as ring:
            try:
                message = await exchange.receive()
            except asyncio.CancelledError:
                if not ring.rang:
                    raise
                ring.task.uncancel()
                raise Problem(408, f"the body did not come in within {allowed_s:.3g} s") from None
        if message["type"] == "http.disconnect":
            raise Gone
        return message

    @contextlib.contextmanager
    def _cancelled_after(self, seconds: float) -> Iterator[Ring]:
        """Cancel this task when the block takes longer; `rang` tells it from being cancelled by others."""
        task = asyncio.current_task()
        assert task is not None
        ring = Ring(task)
        alarm = self._handler.alarms.set(seconds, ring)
        try:
            yield ring
        finally:
            self._handler.alarms.clear(alarm)
