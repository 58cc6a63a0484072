"""Rows whose inputs, once repaired, are the same."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

DUPLICATE = "exact duplicate"
CONFLICTING_LABELS = "conflicting labels"
CONFLICTING_TARGETS = "conflicting targets"


def exact_duplicates(keys: pl.DataFrame, classes: bool) -> pl.DataFrame:
    """The rows to drop: `row` and `reason`, in row order.

    keys: `low` and `high` (a 128-bit hash of all inputs), `target` (its 64-bit hash; one value where the data have
    none, null where a row has none yet), `rank` and `row`; rows with equal inputs are all here. classes: the target is
    the name of a class.

    Of rows with one input and one target that of the lowest rank stays, the first among equals: a test set that the
    source came with loses no row to its train side. Where the classes of one input differ nobody can say which is
    right: all of them go, under a reason of their own. Other targets (a score, a translation) are not right or wrong
    in that way: the first stays, those that differ from it go under another reason than its twins. A row without a
    target says nothing against one that has it, which stays.
    """
    import polars as pl

    inputs = ["low", "high"]
    twins = keys.filter(pl.struct(inputs).is_duplicated())
    order = [pl.col("target").is_null(), pl.col("rank"), pl.col("row")]
    first = pl.col("row").sort_by(order).first().over(inputs)
    kept_target = pl.col("target").sort_by(order).first().over(inputs)
    if classes:
        reason = (
            pl.when(pl.col("target").drop_nulls().n_unique().over(inputs) > 1)
            .then(pl.lit(CONFLICTING_LABELS))
            .when(pl.col("row") != first)
            .then(pl.lit(DUPLICATE))
        )
    else:
        reason = (
            pl.when(pl.col("target") != kept_target)
            .then(pl.lit(CONFLICTING_TARGETS))
            .when(pl.col("row") != first)
            .then(pl.lit(DUPLICATE))
        )
    return twins.select("row", reason.alias("reason")).filter(pl.col("reason").is_not_null()).sort("row")
