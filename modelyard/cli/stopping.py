"""Ctrl-C and SIGTERM: work that asks stops at its next step and keeps it, any other is broken off a moment later."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

SIGNALS = (signal.SIGINT, signal.SIGTERM)
GRACE_S = 2.0
AGAIN_S = 15.0  # a library may swallow the exception; what cleans up after it takes less


class Stopped(KeyboardInterrupt):
    """The user stopped a verb: what is kept, and what to do to go on."""

    def __init__(self, message: str, next: str) -> None:
        super().__init__(message)
        self.next = next


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """The event is set by the first signal; KeyboardInterrupt follows after GRACE_S, or at once with the second.

    An error that follows from the signal, as of a library that was broken off while it loaded or of a server that
    heard the same Ctrl-C, ends as KeyboardInterrupt too.
    """
    asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return

    def heard(number: int, frame: FrameType | None) -> None:
        if asked.is_set():
            signal.setitimer(signal.ITIMER_REAL, 0)
            raise KeyboardInterrupt
        asked.set()
        signal.setitimer(signal.ITIMER_REAL, GRACE_S, AGAIN_S)

    def late(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    # What was told to ignore a signal (nohup, a shell's background job) goes on ignoring it.
    replaced = [number for number in SIGNALS if signal.getsignal(number) != signal.SIG_IGN]
    before = {number: signal.signal(number, heard) for number in replaced}
    before[signal.SIGALRM] = signal.signal(signal.SIGALRM, late)
    try:
        yield asked
    except Exception as error:
        if asked.is_set():
            raise KeyboardInterrupt from error
        raise
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        for number, handler in before.items():
            signal.signal(number, handler)
