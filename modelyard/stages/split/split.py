"""The stage: tie rows into groups, give each group a side, check what came out, add one layer."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from modelyard.errors import BadInput, Fault
from modelyard.run import Run
from modelyard.stages.split.balance import deviations, hold_balance, hold_classes
from modelyard.stages.split.config import SplitConfig
from modelyard.stages.split.keys import HEAD, read_keys, tied_pairs, with_earlier
from modelyard.stages.split.sides import SIDES, Assignment, assign, group_sizes
from modelyard.stages.split.union_find import UnionFind
from modelyard.store import Column, Dataset
from modelyard.store.dataset import ROW_ID_TYPE, SPLIT, show_row_id

if TYPE_CHECKING:
    import polars as pl

SHOWN_ASIDE = 100
SHOWN_STRATA = 300


def split(dataset: Dataset, config: SplitConfig, run: Run, earlier: Dataset | None = None) -> Dataset:
    """Add the layer `split`: columns `split` and `group_head`, and a selection that leaves out what would leak.

    Rows that share a group, are exact twins, or have texts that differ only in case, blanks and punctuation lie on one
    side. (Similar texts, with words that differ, are not looked for.) A row keeps its side when data is added: the
    recorded one, else the one it had in `earlier`, the last split of what the data were before.
    Raises BadInput when a class is missing on a side, GateFailed when too much would leak.
    """
    text, target = dataset.the("input", "text"), dataset.the("target", "label")
    groups = list(dict.fromkeys([*(column.name for column in dataset.with_role("group")), *config.group]))
    for name in (*groups, *config.strata):
        dataset.column(name)
    if not groups:
        near = "near duplicates are" if config.near_duplicates else "only exact twins are"
        run.say(f"no group column: {near} kept on one side   (change: split.group)")
    keys = with_earlier(
        earlier, read_keys(dataset, text.name, target.name, groups, config.strata, config.near_duplicates, run)
    )
    if not len(keys):
        raise BadInput("the dataset has no rows to split")
    found = assign(keys, config)
    keep = np.ones(len(keys), dtype=np.bool_)
    keep[list(found.aside)] = False
    _record(keys, found, keep, config, groups, run)

    layer = run.store.layer(dataset, "split", [Column(SPLIT, "value", "system"), Column(HEAD, "value", "system")])
    start = 0
    for view in dataset.views():
        selected = view.selection()
        end = start + int(selected.sum())
        sides, heads = np.full(view.rows, None, dtype=object), np.full(view.rows, None, dtype=object)
        sides[selected], heads[selected] = found.side[start:end], found.head[start:end]
        kept = selected.copy()
        kept[selected] = keep[start:end]
        layer.write(
            view,
            {SPLIT: pa.array(sides, type=pa.large_string()), HEAD: pa.array(heads, type=ROW_ID_TYPE)},
            kept,
        )
        start = end
    return layer.finish()


def _record(
    keys: pl.DataFrame, found: Assignment, keep: np.ndarray, config: SplitConfig, groups: list[str], run: Run
) -> None:
    """Figures, details and gates of the split."""
    import polars as pl

    kept = np.flatnonzero(keep).tolist()
    labels = keys["label"].to_list()
    sides = [found.side[row] for row in kept]
    both = Counter((found.side[row], labels[row]) for row in kept)
    classes = sorted({labels[row] for row in kept})
    table = {side: {label: both[side, label] for label in classes if both[side, label]} for side in SIDES}
    counts = dict(sorted(Counter(labels[row] for row in kept).items()))
    sizes = group_sizes(found.roots)
    run.record("rows_in", len(keys), how="rows before the split", unit="rows")
    run.record("rows_out", len(kept), how="rows on a side", unit="rows")
    for side in SIDES:
        run.record(f"rows_{side}", sides.count(side), how=f"rows on the {side} side", unit="rows")
    run.details["split"] = table
    run.details["class_counts"] = counts
    run.details["groups"] = {
        "columns": groups,
        "count": len(sizes),
        "of_several_rows": sum(size > 1 for size in sizes.values()),
        "largest": max(sizes.values()),
    }
    ids = keys["row_id"]
    torn = torn_groups(keys.filter(pl.Series(keep)), sides)
    if torn:
        raise Fault(f"{torn} groups lie on two sides of the split")
    run.details["leakage"] = {
        "checked": list(found.ties),
        "tied_pairs": found.ties,
        "set_aside": len(found.aside),
        "groups_on_two_sides": torn,
    }
    run.details["set_aside"] = [
        {"row_id": show_row_id(ids[row]), "reason": reason} for row, reason in sorted(found.aside.items())[:SHOWN_ASIDE]
    ]
    run.details["set_aside_count"] = len(found.aside)
    strata = {"label": [labels[row] for row in kept]}
    for name in config.strata:
        values = keys[f"stratum:{name}"].to_list()
        strata[name] = [values[row] for row in kept]
    shown = deviations(strata, sides, config.shares.model_dump())
    run.details["strata"] = shown[:SHOWN_STRATA]
    run.record(
        "strata_deviation",
        max((abs(each["deviation"]) for each in shown), default=0.0),
        how="largest difference between the share of a stratum's rows on a side and the share asked for; met in "
        "expectation, because a group is never cut",
    )
    if found.aside:
        run.gate(
            "leakage_set_aside",
            len(found.aside) / len(keys),
            at_most=config.max_set_aside,
            message=f"{len(found.aside):,} of {len(keys):,} rows lie across the sides of the split that the data came "
            f"with ({len(found.aside) / len(keys):.0%}, the bar is {config.max_set_aside:.0%})",
            next="set split.keep_split to false to split anew, or raise split.max_set_aside",
        )
        run.warn(f"{len(found.aside):,} rows would leak between the sides and were set aside: {_first(found)}")
    hold_classes(table, classes, config)
    hold_balance(counts, config, run)


def _first(found: Assignment) -> str:
    return found.aside[min(found.aside)]


def torn_groups(keys: pl.DataFrame, sides: list[str]) -> int:
    """Groups, made anew of the rows that stay, that have rows on more than one side."""
    groups = UnionFind(len(keys))
    for name in keys.columns:
        if name.startswith("tie:"):
            groups.join(tied_pairs(keys, name))
    of_group: dict[int, set[str]] = defaultdict(set)
    for root, side in zip(groups.roots().tolist(), sides, strict=True):
        of_group[root].add(side)
    return sum(len(each) > 1 for each in of_group.values())
