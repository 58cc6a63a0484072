"""Text: a Unicode string that holds something to read."""

from __future__ import annotations

from typing import Any

import pyarrow as pa


def whole_characters(value: str) -> str:
    """The string itself. Raises ValueError when it holds half a surrogate pair (JSON can write one, UTF-8 cannot)."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError as error:
            raise ValueError(f"half a surrogate pair at character {error.start + 1}") from error
    return value


class Text:
    """A string as it was given: repair is the business of `clean`."""

    name = "text"

    def arrow_type(self) -> pa.DataType:
        return pa.large_string()

    def read(self, value: Any) -> str | None:
        if value is None:
            return None
        if not isinstance(value, str):
            raise ValueError(f"{type(value).__name__}, not a string")
        if not value.strip():
            return None
        return whole_characters(value)

    def canonical(self, value: Any) -> bytes:
        return str(value).encode()
