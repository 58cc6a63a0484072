"""Label: one class name of a closed set."""

from __future__ import annotations

from typing import Any

import pyarrow as pa

from modelyard.fields.text import whole_characters


class Label:
    """A class name. `NA`, `no` and `010` are names like any other: none becomes a missing value or a number."""

    name = "label"

    def arrow_type(self) -> pa.DataType:
        return pa.large_string()

    def read(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(f"the label {value} is a fraction, not a class")
        shown = str(int(value)) if isinstance(value, float) else str(value).strip()
        return whole_characters(shown) or None

    def canonical(self, value: Any) -> bytes:
        return str(value).encode()
