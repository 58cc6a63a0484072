"""A kind of field of one's own: stars as people write them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

FEWEST, MOST = 1.0, 5.0
STAR, HALF = "★", "½"


class Stars:
    """From 1 to 5: `4`, `4.5`, `4.5/5`, `★★★★½`. Kept as a number."""

    name = "stars"

    def arrow_type(self) -> pa.DataType:
        import pyarrow as pa  # a server does without it

        return pa.float64()

    def read(self, value: Any) -> float | None:
        """None for an empty cell. Raises ValueError with what is wrong."""
        written = "" if value is None else str(value).strip()
        if not written:
            return None
        drawn = written.removesuffix(HALF)
        if drawn and set(drawn) == {STAR}:
            stars = len(drawn) + (0.5 if drawn != written else 0.0)
        else:
            try:
                stars = float(written.removesuffix("/5"))
            except ValueError:
                raise ValueError(f"{written[:40]!r} is no number of stars") from None
        if not FEWEST <= stars <= MOST:
            raise ValueError(f"{written[:40]!r} is not between {FEWEST:g} and {MOST:g} stars")
        return stars

    def canonical(self, value: Any) -> bytes:
        return struct.pack(">d", float(value))
