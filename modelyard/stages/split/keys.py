"""What ties rows together: small keys of every row, on disk."""

from __future__ import annotations

import string
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, PartView
from modelyard.store.journal import Journal
from modelyard.store.row_id_columns import id_bytes, id_keys
from modelyard.store.spill import Spill, hash_pair, row_starts

if TYPE_CHECKING:
    import polars as pl

EXACT = "exact twins"
NEAR = "near duplicates"
PIECE_ROWS = 4096

_LOWER = bytes(range(256)).lower()
_SIGNS = bytes(set(range(256)) - set((string.ascii_letters + string.digits).encode()))


@dataclass(frozen=True)
class TieColumns:
    """texts and others: the input columns, of text and of other fields; groups: rows with one value there belong
    together. near: texts, of which there are some, are compared without case, blanks and punctuation."""

    texts: tuple[str, ...]
    others: tuple[str, ...]
    groups: tuple[str, ...]
    near: bool

    def names(self) -> list[str]:
        """Every tie, by the name that the report gives it."""
        return [EXACT, *([NEAR] if self.near else []), *self.groups]


def spill_keys(dataset: Dataset, columns: TieColumns, folder: Path, journal: Journal, run: Run) -> dict[str, Spill]:
    """For each tie `low` and `high` (a hash of the key) and `row` (its number) of every selected row that has the key.

    Exact twins also have `ordinal`: with it low and high are the row_id. Parts that the journal names are there.
    """
    spills = {name: Spill(folder / f"tie-{number}", dataset) for number, name in enumerate(columns.names())}
    for spill in spills.values():
        spill.folder.mkdir(exist_ok=True)
    starts = row_starts(dataset)
    for view in run.progress(dataset.views(), "ties", total=len(dataset.parts)):
        if view.index < len(journal.entries):
            continue
        for name, keys in _keys(view, starts[view.index], columns).items():
            spills[name].write(view.index, keys)
        journal.add({"part": view.index})
    return spills


def _keys(view: PartView, start: int, columns: TieColumns) -> Mapping[str, pl.DataFrame]:
    import polars as pl

    wanted = [ROW_ID, *columns.groups]
    if columns.near:
        wanted += [*columns.texts, *columns.others]
    table = view.read(list(dict.fromkeys(wanted)))
    rows = start + np.flatnonzero(view.selection())
    low, high, ordinal = id_keys(id_bytes(table[ROW_ID]))
    keys = {EXACT: pl.DataFrame({"low": low, "high": high, "ordinal": ordinal, "row": rows})}
    if columns.near:
        low, high = _near_hashes(table, columns)
        keys[NEAR] = pl.DataFrame({"low": low, "high": high, "row": rows})
    for name in columns.groups:
        values = pl.Series(name, table[name])
        low, high = hash_pair([values])
        keys[name] = pl.DataFrame({"low": low, "high": high, "row": rows}).filter(values.is_not_null())
    return keys


def _near_hashes(table: pa.Table, columns: TieColumns) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Both hashes of each row's bare texts and other inputs, a piece at a time: bare texts are held several times."""
    import polars as pl

    low, high = np.zeros(table.num_rows, dtype=np.uint64), np.zeros(table.num_rows, dtype=np.uint64)
    for start in range(0, table.num_rows, PIECE_ROWS):
        piece = table.slice(start, PIECE_ROWS)
        bare = [bare_text(pl.Series(name, piece[name], dtype=pl.String)) for name in columns.texts]
        here = slice(start, start + piece.num_rows)
        low[here], high[here] = hash_pair([*bare, *(pl.Series(name, piece[name]) for name in columns.others)])
    return low, high


def bare_text(text: pl.Series) -> pl.Series:
    """Lower case, letters, marks and digits only, as bytes; a text that has none of them stays as it is.

    Near duplicates in a stricter sense than similarity: no word may differ. ASCII goes by a table, four times as fast.
    """
    import polars as pl

    ascii_only = text.str.len_bytes() == text.str.len_chars()
    wide = text.filter(~ascii_only)
    of_wide = wide.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N}]+", "").cast(pl.Binary)
    plain = text.filter(ascii_only)
    of_plain = pl.Series([each.encode().translate(_LOWER, _SIGNS) for each in plain], dtype=pl.Binary)
    order = np.argsort(~ascii_only.to_numpy(), kind="stable")
    places = np.empty(len(text), dtype=np.int64)
    places[order] = np.arange(len(text))
    bare = pl.concat([of_plain, of_wide]).gather(pl.Series(places))
    frame = pl.DataFrame({"bare": bare, "text": text.cast(pl.Binary)})
    return frame.select(pl.when(pl.col("bare").bin.size() == 0).then("text").otherwise("bare").alias("bare"))["bare"]


def tied_pairs(spill: Spill, allowed: Any = None) -> np.ndarray[Any, np.dtype[np.int64]]:
    """For each row whose key an earlier row has: that first row and the row, by number: int64 [pairs, 2].

    allowed: answers for an array of row numbers which of them count.
    """
    import polars as pl

    found = [np.zeros((0, 2), dtype=np.int64)]
    key = ["low", "high"]
    for keys in spill.each():
        some = keys if allowed is None else keys.filter(pl.Series(allowed(keys["row"].to_numpy())))
        shared = some.filter(pl.struct(key).is_duplicated())
        pairs = shared.select(pl.col("row").min().over(key).alias("first"), "row").filter(
            pl.col("row") > pl.col("first")
        )
        found.append(pairs.to_numpy().astype(np.int64).reshape(-1, 2))
    return np.concatenate(found)


def all_pairs(spills: Mapping[str, Spill], allowed: Any = None) -> list[np.ndarray[Any, np.dtype[np.int64]]]:
    """The pairs of each tie."""
    return [tied_pairs(spill, allowed) for spill in spills.values()]


def members(pairs: Sequence[np.ndarray[Any, np.dtype[np.int64]]]) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Every row that is tied to another one, ascending."""
    return np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(each.ravel() for each in pairs)]))
