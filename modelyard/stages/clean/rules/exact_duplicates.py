"""Rows whose text, once repaired, is the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

DUPLICATE = "exact duplicate"
CONFLICT = "conflicting labels"


def exact_duplicates(keys: pl.DataFrame) -> pl.Series:
    """The reason to drop each row for, null where it stays.

    keys: columns `low` and `high` (a 128-bit hash of the text), `label` (its 64-bit hash) and `rank`, in row order.
    Of rows with one text and one label the one of the lowest rank stays, the first among equals: a test set that the
    source came with loses no row to its train side. Where the labels differ nobody can say which is right:
    all of them go, under a reason of their own.
    """
    import polars as pl

    text = ["low", "high"]
    twins = keys.with_row_index("row").filter(pl.struct(text).is_duplicated())
    reasons = twins.with_columns(
        pl.when(pl.col("label").n_unique().over(text) > 1)
        .then(pl.lit(CONFLICT))
        .when(pl.col("row") != pl.col("row").sort_by("rank", "row").first().over(text))
        .then(pl.lit(DUPLICATE))
        .otherwise(None)
        .alias("reason")
    )
    rows = pl.select(pl.int_range(len(keys), dtype=pl.get_index_type()).alias("row"))
    return rows.join(reasons.select("row", "reason"), on="row", how="left", maintain_order="left")["reason"]
