"""What every kind of column answers."""

from __future__ import annotations

from typing import Any, Protocol

import pyarrow as pa


class Field(Protocol):
    """A kind of column."""

    name: str

    def arrow_type(self) -> pa.DataType:
        """The Arrow type of the stored column."""
        ...

    def read(self, value: Any) -> Any:
        """The stored value of a raw one, or None when there is none. Raises ValueError with what is wrong.

        It depends on the value alone: of rows that hold the same one, only the first may be asked for.
        """
        ...

    def canonical(self, value: Any) -> bytes:
        """The bytes that a row_id is made from: of the decoded value, not of its encoding."""
        ...
