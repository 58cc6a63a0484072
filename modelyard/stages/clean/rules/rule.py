"""What a rule that looks at one text is."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl


@dataclass(frozen=True)
class Rule:
    """suspects: which texts it may change (bool [rows]), found fast; every other text it leaves as it is.

    repair: those texts, repaired [rows]. reason: what a changed row is counted under.
    """

    reason: str
    suspects: Callable[[pl.Series], pl.Series]
    repair: Callable[[pl.Series], pl.Series]


def beyond_ascii(text: pl.Series) -> pl.Series:
    """Texts with a character beyond ASCII: bytes against characters, some 20 times as fast as a pattern."""
    return text.str.len_bytes() != text.str.len_chars()


def among(chosen: pl.Series, text: pl.Series, test: Callable[[pl.Series], pl.Series]) -> pl.Series:
    """bool [rows]: the chosen texts that pass the test, which looks at no other."""
    import polars as pl

    found = chosen.fill_null(False).to_numpy().copy()
    found[found] = test(text.filter(chosen)).fill_null(False).to_numpy()
    return pl.Series(found)
