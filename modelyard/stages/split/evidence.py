"""Figures, details and gates of the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np

from modelyard.errors import BadInput, Fault
from modelyard.run import Run
from modelyard.stages.split.balance import deviations, hold_balance, hold_classes
from modelyard.stages.split.components import Indices
from modelyard.stages.split.config import SIDES, SplitConfig
from modelyard.stages.split.recorded import Recorded
from modelyard.stages.split.sides import Groups, RowIdOf, torn_groups, why_aside
from modelyard.stages.split.tallies import Tallies

SHOWN_ASIDE = 100
SHOWN_STRATA = 300
ALL_ROWS = "all rows"


def record(
    rows: int,
    found: Groups,
    pairs: Mapping[str, int],
    checked: Sequence[Indices],
    tallies: Tallies,
    recorded: Recorded,
    ids: RowIdOf,
    label: str | None,
    config: SplitConfig,
    groups: list[str],
    run: Run,
) -> None:
    """rows: before the split. pairs: how many each tie joined; checked: those among the rows that stay."""
    for side, value in {"in": rows, "out": tallies.rows()}.items():
        how = "rows before the split" if side == "in" else "rows on a side"
        run.record(f"rows_{side}", value, how=how, unit="rows")
    for side in SIDES:
        run.record(f"rows_{side}", tallies.of_side[side], how=f"rows on the {side} side", unit="rows")
    of_all: Counter[tuple[str | None, str]] = Counter({(ALL_ROWS, side): n for side, n in tallies.of_side.items()})
    both = tallies.of_value[label] if label else of_all
    values = sorted({str(value) for value, _ in both})
    table = {side: {value: both[value, side] for value in values if both[value, side]} for side in SIDES}
    counts = {value: sum(both[value, side] for side in SIDES) for value in values}
    run.details["split"] = table
    run.details["class_counts"] = counts if label else {}
    sizes = np.bincount(found.root)[np.unique(found.root)]
    run.details["groups"] = {
        "columns": groups,
        "count": rows - len(found.rows) + len(sizes),
        "of_several_rows": len(sizes),
        "largest": int(sizes.max(initial=1)),
    }
    _record_leaks(found, pairs, checked, recorded, ids, run)
    strata = {"label" if label else ALL_ROWS: both, **{name: tallies.of_value[name] for name in config.strata}}
    shown = deviations(strata, config.shares.model_dump())
    run.details["strata"] = shown[:SHOWN_STRATA]
    run.record(
        "strata_deviation",
        max((abs(each["deviation"]) for each in shown), default=0.0),
        how="largest difference between the share of a stratum's rows on a side and the share asked for; met in "
        "expectation, because a group is never cut",
    )
    if found.aside:
        _hold_leaks(rows, found, run, config)
    if label:
        hold_classes(table, values, config)
        hold_balance(counts, config, run)
    elif config.min_rows_per_class:
        _hold_sides(tallies)


def _record_leaks(
    found: Groups,
    pairs: Mapping[str, int],
    checked: Sequence[Indices],
    recorded: Recorded,
    ids: RowIdOf,
    run: Run,
) -> None:
    torn = torn_groups(checked, found)
    if torn:
        raise Fault(f"{torn} groups lie on two sides of the split")
    run.details["leakage"] = {
        "checked": list(pairs),
        "tied_pairs": dict(pairs),
        "set_aside": len(found.aside),
        "groups_on_two_sides": torn,
    }
    run.details["set_aside"] = [
        {"row_id": ids.shown(each.row), "reason": why_aside(each, recorded, ids)} for each in found.aside[:SHOWN_ASIDE]
    ]
    run.details["set_aside_count"] = len(found.aside)


def _hold_leaks(rows: int, found: Groups, run: Run, config: SplitConfig) -> None:
    share = len(found.aside) / rows
    run.gate(
        "leakage_set_aside",
        share,
        at_most=config.max_set_aside,
        message=f"{len(found.aside):,} of {rows:,} rows lie across the sides of the split that the data came "
        f"with ({share:.0%}, the bar is {config.max_set_aside:.0%})",
        next="set split.keep_split to false to split anew, or raise split.max_set_aside",
    )
    first = run.details["set_aside"][0]["reason"]
    run.warn(f"{len(found.aside):,} rows would leak between the sides and were set aside: {first}")


def _hold_sides(tallies: Tallies) -> None:
    """Without classes a side must at least have a row."""
    for side in SIDES:
        if not tallies.of_side[side]:
            raise BadInput(
                f"{side} has no rows ({tallies.rows():,} rows in all)",
                where=f"side {side}",
                next=f"bring more rows, or raise split.shares.{side}; with few rows another split.seed may do",
            )
