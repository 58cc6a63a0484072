"""Text: a Unicode string that holds something to read."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

# The first byte, in UTF-8, of each character that `str.strip` takes for a blank (U+0085, U+00A0, U+1680, U+2000 ...,
# U+3000). Most texts begin with none of these, and need no closer look.
BLANK_BYTES = (*range(0x09, 0x0E), *range(0x1C, 0x21), 0xC2, 0xE1, 0xE2, 0xE3)
_MAY_BE_BLANK = np.isin(np.arange(256), BLANK_BYTES)


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

    def read_strings(self, values: pa.LargeStringArray) -> pa.LargeStringArray:
        """Null where there is nothing but blanks. An Arrow string is UTF-8, which holds no half surrogate pairs."""
        _, offsets, data = values.buffers()
        ends = np.frombuffer(offsets, dtype=np.int64)[values.offset : values.offset + len(values) + 1]
        if data is None or not data.size:
            return pa.nulls(len(values), pa.large_string())
        first = np.frombuffer(data, dtype=np.uint8)[np.minimum(ends[:-1], data.size - 1)]
        suspects = np.flatnonzero(_MAY_BE_BLANK[first] | (ends[1:] == ends[:-1]))
        blank = np.zeros(len(values), dtype=np.bool_)
        blank[suspects] = [not (value and value.strip()) for value in values.take(pa.array(suspects)).to_pylist()]
        return pc.if_else(pa.array(blank), None, values) if blank.any() else values

    def canonical(self, value: Any) -> bytes:
        return str(value).encode()
