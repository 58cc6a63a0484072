"""What ties rows together: one table of small keys, a row each, in the order of the Dataset."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, SPLIT

if TYPE_CHECKING:
    import polars as pl

HEAD = "group_head"
EXACT = "exact twins"
NEAR = "near duplicates"


def read_keys(
    dataset: Dataset, text: str, label: str, groups: Sequence[str], strata: Sequence[str], near: bool, run: Run
) -> pl.DataFrame:
    """Columns: part, row_id, label, the strata, `side` and `head` where recorded (else null), and `tie:NAME` keys.

    Rows with one value under a tie belong together; null ties nothing. The texts themselves are read part by part.
    """
    import polars as pl

    recorded = {name: name for name in (SPLIT, HEAD) if dataset.has(name)}
    wanted = list(dict.fromkeys([ROW_ID, text, label, *groups, *strata, *recorded]))
    frames = []
    for view in run.progress(dataset.views(), "split", total=len(dataset.parts)):
        table = view.read(wanted)
        column = {name: pl.Series(name, table[name]) for name in wanted}
        nothing = pl.Series([None] * table.num_rows, dtype=pl.Binary)
        ties = {f"tie:{EXACT}": column[ROW_ID].bin.slice(0, 16)}
        if near:
            # Two 64-bit hashes of different seeds stand for the text: 16 bytes a row, no false pair to be expected.
            bare = bare_text(column[text])
            pair = pl.struct(bare.hash(seed=1).alias("low"), bare.hash(seed=2).alias("high"))
            ties[f"tie:{NEAR}"] = pl.select(pair.alias("pair"))["pair"]
        ties.update({f"tie:{name}": column[name] for name in groups})
        frames.append(
            pl.DataFrame(
                {
                    "part": pl.Series([view.index] * table.num_rows, dtype=pl.Int32),
                    "row_id": column[ROW_ID],
                    "label": column[label].cast(pl.String),
                    "side": column[SPLIT].cast(pl.String) if SPLIT in recorded else nothing.cast(pl.String),
                    "head": column[HEAD] if HEAD in recorded else nothing,
                    **{f"stratum:{name}": column[name].cast(pl.String) for name in strata},
                    **ties,
                }
            )
        )
    return pl.concat(frames)


def with_earlier(earlier: Dataset | None, keys: pl.DataFrame) -> pl.DataFrame:
    """`side` and `head` of rows that have none recorded, from an earlier split that held the same rows (by row_id)."""
    import polars as pl

    if earlier is None or not earlier.parts:
        return keys
    known = pl.concat(
        [
            pl.DataFrame({"row_id": table[ROW_ID], "was": table[SPLIT], "led": table[HEAD]})
            for table in (view.read([ROW_ID, SPLIT, HEAD]) for view in earlier.views())
        ]
    ).with_columns(pl.col("was").cast(pl.String))
    joined = keys.join(known, on="row_id", how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("side", "was").alias("side"), pl.coalesce("head", "led").alias("head")).drop(
        "was", "led"
    )


def bare_text(text: pl.Series) -> pl.Series:
    """Lower case, letters, marks and digits only; a text that has none of them stays as it is.

    Near duplicates in a stricter sense than similarity: no word may differ.
    """
    import polars as pl

    bare = text.str.to_lowercase().str.replace_all(r"[^\p{L}\p{M}\p{N}]+", "")
    return pl.select(pl.when(bare == "").then(text).otherwise(bare).alias("text"))["text"]


def tied_pairs(keys: pl.DataFrame, tie: str) -> Iterator[tuple[int, int]]:
    """For each row whose key an earlier row has: (that first row, the row), by position in `keys`."""
    import polars as pl

    rows = keys.select(pl.int_range(pl.len(), dtype=pl.Int64).alias("row"), pl.col(tie).alias("key"))
    shared = rows.filter(pl.col("key").is_not_null() & pl.col("key").is_duplicated())
    pairs = shared.with_columns(pl.col("row").min().over("key").alias("first")).filter(pl.col("row") > pl.col("first"))
    return zip(pairs["first"].to_list(), pairs["row"].to_list(), strict=True)
