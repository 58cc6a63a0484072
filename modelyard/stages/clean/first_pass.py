"""What can be said of one part alone: texts repaired, rows that became empty, and the keys by which twins are found."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from modelyard.stages.clean.examples import changed_rows
from modelyard.stages.clean.inputs import Inputs
from modelyard.stages.clean.repair import Repaired, repair, replaced
from modelyard.stages.clean.rules import Rule
from modelyard.store.dataset import ROW_ID, SPLIT, PartView
from modelyard.store.layers import Sparse
from modelyard.store.row_id_columns import id_bytes, id_keys
from modelyard.store.spill import hash_pair

if TYPE_CHECKING:
    import polars as pl

EMPTY = "empty after cleaning"


@dataclass(frozen=True)
class FirstPass:
    """texts: by column, what changed. empty: places of rows that are left without a text. keys: see exact_duplicates.

    rows: how many were selected. repaired: texts changed by each reason. changes: examples of them.
    """

    texts: dict[str, Sparse]
    empty: np.ndarray[Any, np.dtype[np.int64]]
    keys: pl.DataFrame
    rows: int
    repaired: Counter[str]
    changes: list[dict[str, Any]]


def first_pass(view: PartView, start: int, inputs: Inputs, rules: Sequence[Rule], shown: int) -> FirstPass:
    """The selected rows of a part. start: the number of its first row; shown: how many changed rows to show."""
    import polars as pl

    split = [SPLIT] if view.dataset.has(SPLIT) else []
    names = [column.name for column in inputs.texts]
    table = view.read([*(names or [ROW_ID]), *inputs.others, *inputs.targets, *split])
    rows = np.flatnonzero(view.selection())
    texts = {name: pl.Series(name, table[name], dtype=pl.String) for name in names}
    repaired = {name: repair(text, rules) for name, text in texts.items()}
    empty = np.zeros(len(rows), dtype=np.bool_)
    for name, found in repaired.items():
        without = (texts[name].str.len_bytes() == 0).fill_null(False).to_numpy().copy()
        without[found.places] = (found.after.str.len_bytes() == 0).to_numpy()
        empty |= without
    if texts:
        low, high = _hashed(texts, repaired, [pl.Series(name, table[name]) for name in inputs.others])
    else:
        low, high, _ = id_keys(id_bytes(table[ROW_ID]))
    targets = [pl.Series(name, table[name]) for name in inputs.targets]
    keys = pl.DataFrame(
        {
            "low": low,
            "high": high,
            "target": _target(targets) if targets else np.zeros(len(rows), dtype=np.uint64),
            "rank": _rank(pl.Series(table[SPLIT])) if split else np.full(len(rows), 2, dtype=np.uint8),
            "row": start + rows,
        }
    ).filter(pl.Series(~empty))
    counts: Counter[str] = sum((each.counts for each in repaired.values()), Counter())
    changes = {name: Sparse(rows[each.places], _large(each.after)) for name, each in repaired.items()}
    examples = changed_rows(view, rows, repaired, empty, shown)
    return FirstPass(changes, rows[empty], keys, len(rows), counts, examples)


def _target(targets: list[pl.Series]) -> pl.Series:
    """The hash of each row's targets, null where one is missing."""
    import polars as pl

    known = pl.Series(np.all([target.is_not_null().to_numpy() for target in targets], axis=0))
    hashed = pl.DataFrame({"target": hash_pair(targets)[0], "known": known})
    return hashed.select(pl.when(pl.col("known")).then("target"))["target"]


def _hashed(
    texts: Mapping[str, pl.Series], repaired: Mapping[str, Repaired], others: list[pl.Series]
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The hashes of all inputs of each row as they are now: hashed as they were, then the changed rows anew."""
    low, high = hash_pair([*texts.values(), *others])
    changed = np.unique(np.concatenate([np.zeros(0, np.int64), *(each.places for each in repaired.values())]))
    if len(changed):
        now = [
            replaced(text.gather(changed), np.searchsorted(changed, repaired[name].places), repaired[name].after)
            for name, text in texts.items()
        ]
        low[changed], high[changed] = hash_pair([*now, *(other.gather(changed) for other in others)])
    return low, high


def _large(text: pl.Series) -> pa.Array:
    return text.to_arrow().cast(pa.large_string())


def _rank(side: pl.Series) -> pl.Series:
    """0 for the side that must not lose a row to another one."""
    import polars as pl

    return side.cast(pl.String).replace_strict({"test": 0, "validation": 1}, default=2, return_dtype=pl.UInt8)
