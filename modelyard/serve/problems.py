"""What a request can be answered with instead of a result: an HTTP status, a gRPC code, one sentence."""

from __future__ import annotations

# HTTP status -> name of the gRPC code
GRPC_CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    404: "NOT_FOUND",
    405: "UNIMPLEMENTED",
    408: "DEADLINE_EXCEEDED",
    413: "RESOURCE_EXHAUSTED",
    422: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    503: "UNAVAILABLE",
}


FAULT = "this is a fault of the server; its log says more under this request id"


class Problem(Exception):
    """Answered as {"error": message} with this status; retry_after in seconds where trying again makes sense."""

    def __init__(self, status: int, message: str, retry_after: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.retry_after = retry_after


def shortened(value: object, length: int = 60) -> str:
    """A value from a request as it may stand in a message."""
    text = repr(value)
    return text if len(text) <= length else text[: length - 3] + "..."
