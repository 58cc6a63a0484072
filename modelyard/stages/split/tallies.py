"""Rows counted by side, and by side and value of a column, part by part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.stages.split.config import SIDES

if TYPE_CHECKING:
    import polars as pl

    from modelyard.stages.split.sides import Codes


class Tallies:
    """of_side: rows a side. of_value: for each column, rows by (value, side)."""

    def __init__(self, columns: Sequence[str]) -> None:
        self.of_side: Counter[str] = Counter()
        self.of_value: dict[str, Counter[tuple[str | None, str]]] = {name: Counter() for name in columns}

    def add(self, part: Mapping[str, Any]) -> None:
        """What `tally` says of one part."""
        self.of_side.update(part["sides"])
        for name, counts in part["values"].items():
            for value, side, count in counts:
                self.of_value[name][value, side] += count

    def rows(self) -> int:
        return self.of_side.total()


def tally(side: Codes, values: Mapping[str, pl.Series]) -> dict[str, Any]:
    """Rows of one part, as JSON: `sides` {side: rows}, `values` {column: [[value, side, rows], ...]}."""
    import polars as pl

    found = {}
    for name, column in values.items():
        both = pl.DataFrame({"value": column.cast(pl.String), "side": side}).group_by("value", "side").len()
        found[name] = [[value, SIDES[code], count] for value, code, count in both.iter_rows()]
    counts = np.bincount(side, minlength=len(SIDES)).tolist()
    return {"sides": {name: count for name, count in zip(SIDES, counts, strict=True) if count}, "values": found}
