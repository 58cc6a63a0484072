"""Answers that come piece by piece: each stream has its turn, one step long, between the batches.

A piece is made on a compute thread and read on the event loop. A stream that nobody reads has no turn: what was made
and not read is bounded, and a caller that goes away ends the work at its next turn.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterator

from modelyard.serve.requests import Timings
from modelyard.tasks.sequences import MOST_STREAMS

AHEAD = 64  # pieces that may wait for a slow reader


class Stream:
    """One request under way. `turn` is called on compute threads, never on two at once; all else on the event loop."""

    def __init__(self, begin: Callable[[], Iterator[str]], loop: asyncio.AbstractEventLoop) -> None:
        """begin: makes the iterator over the pieces; it is called, asked and closed on compute threads alone."""
        self.timings = Timings(batch=1)
        self.over = False  # no further turn is of use: all was said, it failed, or nobody reads on
        self.held_back = False  # its reader is slow
        self.wake: Callable[[], None] = lambda: None  # called when the reader has caught up
        self.arrived = time.perf_counter()
        self._begin = begin
        self._loop = loop
        self._made = self._read = 0
        self._iterator: Iterator[str] | None = None
        self._pieces: deque[str] = deque()
        self._error: BaseException | None = None
        self._news = asyncio.Event()

    @property
    def ahead(self) -> int:
        """Pieces that were made and not read."""
        return self._made - self._read

    async def next(self) -> str | None:
        """The next piece, None behind the last. Raises what the stream failed with, after the pieces before it."""
        while not self._pieces:
            if self._error is not None:
                raise self._error
            if self.over:
                return None
            self._news.clear()
            await self._news.wait()
        self._read += 1
        if self.held_back and self.ahead <= AHEAD // 2:
            self.wake()
        return self._pieces.popleft()

    def stop(self, error: BaseException | None = None) -> None:
        """No more turns; error: what the reader is told behind the pieces that were made."""
        if not self.over:
            self.over, self._error = True, error
            self._news.set()
            self.wake()

    def turn(self) -> bool:
        """Make one piece, or a step towards it; whether there may be another."""
        began = time.perf_counter()
        if self._iterator is None:
            self.timings.queue = began - self.arrived
        try:
            if self.over:
                self._close()
                return False
            if self._iterator is None:
                self._iterator = self._begin()
            piece = next(self._iterator, None)
        except Exception as error:  # whatever a runtime or a task raises, the thread lives on
            self._tell(self.stop, error)
            return False
        finally:
            self.timings.compute += time.perf_counter() - began
        if piece is None:
            self._tell(self.stop, None)
            return False
        if piece:
            self._made += 1
            self._tell(self._add, piece)
        return True

    def _add(self, piece: str) -> None:
        if not self.timings.pieces:
            self.timings.first = time.perf_counter() - self.arrived
        self.timings.pieces += 1
        self._pieces.append(piece)
        self._news.set()

    def _close(self) -> None:
        close = getattr(self._iterator, "close", None)
        if close is not None:
            close()

    def _tell(self, function: Callable[..., None], *arguments: object) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)


class Turns:
    """Which stream is next. Everything is called with the lock of the queue held."""

    def __init__(self, most: int = MOST_STREAMS) -> None:
        """most: streams that take turns; the others wait until one of them ends."""
        self._most = most
        self._begun: set[Stream] = set()
        self._ready: deque[Stream] = deque()
        self._waiting: deque[Stream] = deque()

    def __len__(self) -> int:
        """Streams that could have a turn now."""
        return len(self._ready)

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    @property
    def all(self) -> list[Stream]:
        return [*self._begun, *self._waiting]

    def add(self, stream: Stream) -> None:
        self._waiting.append(stream)
        self._fill()

    def pop(self) -> Stream:
        """The one that has waited longest for its turn; `back` must follow."""
        return self._ready.popleft()

    def back(self, stream: Stream, more: bool) -> None:
        """After its turn. more: whether it may have another."""
        if not more:
            self._begun.discard(stream)
            self._fill()
            return
        # Said before it is looked at: a reader that catches up in between sees it, and wakes the stream.
        stream.held_back = True
        if stream.ahead < AHEAD or stream.over:
            self.wake(stream)

    def wake(self, stream: Stream) -> None:
        """Its reader has caught up, or has gone."""
        if stream.held_back:
            stream.held_back = False
            self._ready.append(stream)
        elif stream.over and stream not in self._begun and stream in self._waiting:
            self._waiting.remove(stream)

    def _fill(self) -> None:
        while self._waiting and len(self._begun) < self._most:
            stream = self._waiting.popleft()
            if not stream.over:
                self._begun.add(stream)
                self._ready.append(stream)
