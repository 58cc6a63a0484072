"""Value: anything else that travels with a row (an id, a domain, a date), kept as text exactly as it was written."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from modelyard.fields.text import whole_characters


class Value:
    name = "value"

    def arrow_type(self) -> pa.DataType:
        return pa.large_string()

    def read(self, value: Any) -> str | None:
        if value is None or value == "":
            return None
        if isinstance(value, str):
            return whole_characters(value)
        if isinstance(value, bool | int | float | list | dict):
            return whole_characters(json.dumps(value, ensure_ascii=False, default=str))
        return str(value)

    def read_strings(self, values: pa.LargeStringArray) -> pa.LargeStringArray:
        empty = pc.equal(pc.binary_length(values), 0)
        return pc.if_else(empty, None, values) if pc.any(empty).as_py() else values

    def canonical(self, value: Any) -> bytes:
        return str(value).encode()
