"""The texts of one column of a part on their way through the rules; most of them no rule ever touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.stages.clean.rules import Rule

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Repaired:
    """The texts that changed: their places (int64, ascending), what they were and what they are now.

    counts: texts that each reason changed.
    """

    places: np.ndarray[Any, np.dtype[np.int64]]
    before: pl.Series
    after: pl.Series
    counts: Counter[str]


def repair(text: pl.Series, rules: Sequence[Rule]) -> Repaired:
    """All rules, in order, on the texts that one of them suspects: a text that none does, none would change."""
    import polars as pl

    suspected = [_bools(rule.suspects(text)) for rule in rules]
    suspect = np.logical_or.reduce(suspected) if rules else np.zeros(len(text), dtype=np.bool_)
    places = np.flatnonzero(suspect)
    before = after = text.filter(pl.Series(suspect))
    touched = np.zeros(len(places), dtype=np.bool_)
    counts: Counter[str] = Counter()
    for rule, first in zip(rules, suspected, strict=True):
        # A text that no rule has changed so far is as suspect as it was at first.
        chosen = first[places]
        chosen[touched] = _bools(rule.suspects(after.filter(pl.Series(touched))))
        if not chosen.any():
            continue
        repaired = replaced(after, np.flatnonzero(chosen), rule.repair(after.filter(pl.Series(chosen))))
        changed = _bools(repaired != after)
        counts.update({rule.reason: int(changed.sum())} if changed.any() else {})
        touched |= changed
        after = repaired
    differs = _bools(before != after)
    return Repaired(places[differs], before.filter(pl.Series(differs)), after.filter(pl.Series(differs)), counts)


def replaced(text: pl.Series, places: np.ndarray[Any, np.dtype[np.int64]], by: pl.Series) -> pl.Series:
    """The texts with those at the places replaced."""
    import polars as pl

    if not len(by):
        return text
    numbers = np.arange(len(text))
    numbers[places] = len(text) + np.arange(len(by))
    return pl.concat([text, by]).gather(pl.Series(numbers))


def _bools(mask: pl.Series) -> np.ndarray[Any, np.dtype[np.bool_]]:
    return mask.fill_null(False).to_numpy()
