"""How many bytes of requests are in memory at once: thousands of callers with 32 MiB each must not fill it."""

from __future__ import annotations

from modelyard.serve.problems import Problem


class HeldBytes:
    """Of all requests together, over both doors."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self.now = 0

    def hold(self, size: int) -> None:
        """Count what a request takes. Raises Problem 429, and counts nothing, when it would be too much."""
        if size and self.now + size > self.limit:
            raise Problem(429, f"requests of more than {self.limit} bytes are being answered", retry_after=1)
        self.now += size

    def release(self, size: int) -> None:
        self.now -= size
