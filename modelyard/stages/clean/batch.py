"""TextBatch: the texts of one part on their way through the rules."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class TextBatch:
    """text: string [rows]. dropped: string [rows], the reason a row was dropped for, null while it stays.

    repaired: rows changed by each reason.
    """

    text: pl.Series
    dropped: pl.Series
    repaired: Mapping[str, int] = field(default_factory=dict)

    def repair(self, text: pl.Series, reason: str) -> TextBatch:
        """The batch with new texts; rows that differ are counted under the reason."""
        changed = int((text != self.text).sum())
        if not changed:
            return self
        return replace(self, text=text, repaired=Counter(self.repaired) + Counter({reason: changed}))

    def repair_where(self, chosen: pl.Series, text: pl.Series, reason: str) -> TextBatch:
        """The same where only the `chosen` rows (bool [rows]) may change. text: [number of chosen rows]."""
        import numpy as np
        import polars as pl

        places = np.arange(len(self.text))
        places[chosen.to_numpy()] = len(self.text) + np.arange(len(text))
        return self.repair(pl.concat([self.text, text]).gather(pl.Series(places)), reason)

    def drop(self, chosen: pl.Series, reason: str) -> TextBatch:
        """Drop the chosen rows; one that an earlier rule dropped keeps its first reason."""
        import polars as pl

        with_reason = pl.select(
            pl.when(self.dropped.is_null() & chosen).then(pl.lit(reason)).otherwise(self.dropped).alias("dropped")
        )
        return replace(self, dropped=with_reason["dropped"])
