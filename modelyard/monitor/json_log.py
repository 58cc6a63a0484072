"""One JSON object a line with the names of the Elastic Common Schema, written by a thread of its own.

The thread keeps a slow reader of stderr from holding up answers: when its queue is full, lines are dropped and counted.
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import traceback
from collections import deque
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, BinaryIO

import orjson

from modelyard.monitor import ecs

LEVELS = {"debug": 10, "info": 20, "warning": 30, "error": 40}
QUEUE = 20_000
FLUSH_S = 0.05


def timestamp(seconds: float | None = None) -> str:
    """Seconds since 1970 (now by default) in UTC with milliseconds and a Z: 2026-11-25T02:03:04.567Z."""
    seconds = time.time() if seconds is None else seconds
    whole = int(seconds)
    return f"{_second(whole)}.{int((seconds - whole) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _second(whole: int) -> str:
    return datetime.fromtimestamp(whole, UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _as_json(line: dict[str, Any]) -> bytes:
    """Never raises: whoever logs has other worries."""
    try:
        return orjson.dumps(line, default=str, option=orjson.OPT_APPEND_NEWLINE)
    except TypeError:  # half a surrogate pair, or a number of more than 64 bits
        plain: dict[str, Any] = {}
        for name, value in line.items():
            if isinstance(value, list) or (isinstance(value, int) and abs(value) >= 1 << 63):
                plain[ecs.label(name)] = ecs.as_text(value)  # as text it is of another type than its name has
            else:
                plain[ecs.as_text(name)] = value if isinstance(value, int | float | None) else ecs.as_text(value)
        return orjson.dumps(plain, option=orjson.OPT_APPEND_NEWLINE)


# What every record of the standard library has; the rest came in with `extra=`.
_RECORD = {*vars(logging.makeLogRecord({})), "message", "asctime", "taskName"}


class JsonLog:
    """Writes events to a binary stream."""

    def __init__(self, stream: BinaryIO, service: str, level: str = "info") -> None:
        self._stream = stream
        self._service = service
        self._least = LEVELS[level]
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._wake = threading.Event()
        self._closed = False
        self._writer = threading.Thread(target=self._write_all, name="log", daemon=True)
        self._writer.start()

    def event(self, level: str, message: str, fields: dict[str, Any] | None = None) -> None:
        """One line; fields have dotted names, those of the Elastic Common Schema (`http.request.method`) or others."""
        if LEVELS[level] < self._least:
            return
        if len(self._lines) >= QUEUE:
            self._dropped += 1
            return
        line = {
            "@timestamp": timestamp(),
            "log.level": level,
            "message": message,
            "ecs.version": ecs.VERSION,
            "service.name": self._service,
        }
        if fields:
            line.update(ecs.typed(fields))
        self._lines.append(_as_json(line))
        if not self._wake.is_set():
            self._wake.set()

    def error(self, message: str, error: BaseException, fields: dict[str, Any] | None = None) -> None:
        """An exception that nobody expected, with its stack."""
        stack = "".join(traceback.format_exception(error))
        more = {"error.type": type(error).__name__, "error.message": str(error), "error.stack_trace": stack}
        self.event("error", message, more | (fields or {}))

    def _write_all(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            lines = [self._lines.popleft() for _ in range(len(self._lines))]
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                self.event("warning", f"{dropped} log lines were dropped: stderr is read too slowly")
            # The reader of stderr may have gone away; the server lives on without it.
            with contextlib.suppress(OSError, ValueError):
                self._stream.write(b"".join(lines))
                self._stream.flush()
            if self._closed and not self._lines:
                return
            if not self._closed:
                # Under load, one write for many lines.
                time.sleep(FLUSH_S)

    def close(self, timeout: float = 2.0) -> None:
        """Write what is left."""
        self._closed = True
        self._wake.set()
        self._writer.join(timeout)


class JsonLogHandler(logging.Handler):
    """Sends what libraries log with the standard library to a JsonLog."""

    def __init__(self, log: JsonLog) -> None:
        super().__init__()
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        level = next((name for name, number in reversed(LEVELS.items()) if record.levelno >= number), "debug")
        extra = {name: value for name, value in vars(record).items() if name not in _RECORD}
        fields = {**extra, "log.logger": record.name}
        if record.exc_info and record.exc_info[1] is not None:
            self._log.error(record.getMessage(), record.exc_info[1], fields)
        else:
            self._log.event(level, record.getMessage(), fields)
