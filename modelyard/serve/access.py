"""Who asks, under which request id, and the line that the access log keeps of it."""

from __future__ import annotations

import hmac
import random
import re
from typing import Any

from modelyard.monitor.json_log import JsonLog
from modelyard.serve.problems import Problem
from modelyard.serve.requests import InferAnswer
from modelyard.serve.served_model import ServedModel

_ID = re.compile(r"[\x21-\x7e]{1,128}")


def request_id(given: str | None) -> str:
    """The caller's id when it is printable and short, else a new one of 128 random bits (unique, not secret)."""
    return given if given is not None and _ID.fullmatch(given) else f"{random.getrandbits(128):032x}"


def check_token(expected: str | None, authorization: str | None) -> None:
    """Raises Problem 401 unless the bearer token is the expected one (compared in constant time)."""
    if expected is None:
        return
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "bearer" or not hmac.compare_digest(token.strip().encode(), expected.encode()):
        raise Problem(401, "this server needs the header `Authorization: Bearer TOKEN`")


class AccessLog:
    """One line a request; failures of ours with their stack."""

    def __init__(self, log: JsonLog, enabled: bool) -> None:
        self._log = log
        self._enabled = enabled

    def answered(
        self,
        *,
        method: str,
        path: str,
        status: int,
        seconds: float,
        identity: str,
        user: str | None = None,
        model: ServedModel | None = None,
        answer: InferAnswer | None = None,
        problem: Problem | None = None,
    ) -> None:
        if not self._enabled:
            return
        fields: dict[str, Any] = {
            "event.duration": int(seconds * 1e9),
            "http.request.method": method,
            "http.request.id": identity,
            "http.response.status_code": status,
            "event.outcome": "success" if status < 400 else "failure",
            "url.path": path,
            "trace.id": identity,
        }
        if user:
            fields["user.id"] = user[:128]
        if model is not None:
            fields["modelyard.model"] = model.name
            fields["modelyard.version"] = model.version
            fields["modelyard.variant"] = model.variant
        if answer is not None:
            timings = answer.timings
            fields["modelyard.items"] = answer.items
            fields["modelyard.batch_items"] = timings.batch
            fields["modelyard.prepare_ms"] = round(timings.prepare * 1e3, 3)
            fields["modelyard.queue_ms"] = round(timings.queue * 1e3, 3)
            fields["modelyard.compute_ms"] = round(timings.compute * 1e3, 3)
            if timings.pieces:
                fields["modelyard.pieces"] = timings.pieces
                fields["modelyard.first_piece_ms"] = round(timings.first * 1e3, 3)
        if problem is not None:
            fields["error.message"] = problem.message
        # Probes and scrapes come every few seconds: only for who asks for them.
        if path.startswith("/v2/health/") or (path == "/metrics" and status == 200):
            level = "debug"
        else:
            level = "error" if status >= 500 else "info"
        self._log.event(level, "request", fields)

    def refused(self, problem: Problem) -> None:
        """What came was no request, or one that no door would take: too large, too slow, no HTTP."""
        if self._enabled:
            fields = {
                "event.action": "request_refused",
                "event.outcome": "failure",
                "http.response.status_code": problem.status,
                "error.message": problem.message,
            }
            self._log.event("info", "a request was refused before it was read", fields)

    def fault(self, error: BaseException, path: str, identity: str) -> None:
        """An exception that nobody expected."""
        self._log.error("a request failed", error, {"url.path": path, "trace.id": identity})
