"""What a request can be answered with instead of a result: an HTTP status, a gRPC code, one sentence."""

from __future__ import annotations

import reprlib

import orjson

# HTTP status -> name of the gRPC code
GRPC_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    413: "RESOURCE_EXHAUSTED",
    415: "INVALID_ARGUMENT",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


FAULT = "this is a fault of the server; its log says more under this request id"


MESSAGE = 1000  # characters of a message at most, whatever of the request stands in it


class Problem(Exception):
    """Answered as {"error": message} with this status.

    retry_after: seconds, where trying again makes sense; allow: the methods that would have done, for 405.
    """

    def __init__(self, status: int, message: str, retry_after: int | None = None, allow: tuple[str, ...] = ()) -> None:
        message = message if len(message) <= MESSAGE else message[: MESSAGE - 3] + "..."
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after
        self.allow = allow


def problem_body(problem: Problem) -> bytes:
    return orjson.dumps({"error": problem.message})


class _Shortened(reprlib.Repr):
    """Looks at a bounded part of a value, however long or deep it is."""

    def __init__(self, length: int) -> None:
        super().__init__()
        self.maxlevel = 3
        self.maxstring = self.maxother = self.maxlong = length


def shortened(value: object, length: int = 60) -> str:
    """A value from a request as it may stand in a message."""
    text = _Shortened(length).repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."
