"""Coarse timers that almost never ring: deadlines, watching for callers that hang up.

An event loop's own timer costs some 0.03 ms to set and cancel, and a request wants three of them. Here setting one is
a dictionary entry, and one real timer looks at all of them every 20 ms while there are any.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

TICK_S = 0.02


class Alarms:
    """Callbacks that run on the event loop up to TICK_S after their time."""

    def __init__(self) -> None:
        self._due: dict[int, tuple[float, Callable[[], None]]] = {}
        self._last = 0
        self._ticking = False

    def set(self, seconds: float, callback: Callable[[], None]) -> int:
        """Answers the key to clear it with."""
        loop = asyncio.get_running_loop()
        self._last += 1
        self._due[self._last] = (loop.time() + seconds, callback)
        if not self._ticking:
            self._ticking = True
            loop.call_later(TICK_S, self._tick, loop)
        return self._last

    def clear(self, key: int) -> None:
        self._due.pop(key, None)

    def _tick(self, loop: asyncio.AbstractEventLoop) -> None:
        now = loop.time()
        for key in [key for key, (at, _) in self._due.items() if at <= now]:
            _, callback = self._due.pop(key)
            callback()
        self._ticking = bool(self._due)
        if self._ticking:
            loop.call_later(TICK_S, self._tick, loop)
