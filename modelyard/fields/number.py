"""Number: a finite measurement or rating."""

from __future__ import annotations

import math
import struct
from typing import Any

import pyarrow as pa


class Number:
    """A finite number, kept as float64. `1,5` and `about 3` are refused, not guessed at."""

    name = "number"

    def arrow_type(self) -> pa.DataType:
        return pa.float64()

    def read(self, value: Any) -> float | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise ValueError(f"a {type(value).__name__}, not a number")
        try:
            # Python also reads 1_000, which nobody writes into a table.
            number = float("no" if isinstance(value, str) and "_" in value else value)
        except (ValueError, OverflowError):
            raise ValueError(f"{str(value)[:40]!r} is not a number") from None
        if not math.isfinite(number):
            raise ValueError(f"{value} is not a finite number")
        return number

    def canonical(self, value: Any) -> bytes:
        return struct.pack(">d", float(value))
