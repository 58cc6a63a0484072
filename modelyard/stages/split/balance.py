"""How even classes and strata are, before and after the split."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.split.config import SIDES, SplitConfig


def imbalance(counts: Mapping[str, int]) -> float:
    """(largest - smallest) / largest: 0 for equal classes, near 1 when one has nearly nothing."""
    largest = max(counts.values())
    return (largest - min(counts.values())) / largest


def missing_rows(counts: Mapping[str, int], most: float) -> dict[str, int]:
    """For each class that is too small, how many rows it lacks to lie within `most` of the largest."""
    # The product is rounded first: 100 * (1 - 0.2) is 80, not 80.00000000000001.
    needed = round((1 - most) * max(counts.values()), 6)
    short = {label: int(-(-(needed - count) // 1)) for label, count in counts.items()}
    return {label: rows for label, rows in short.items() if rows > 0}


def hold_balance(counts: Mapping[str, int], config: SplitConfig, run: Run) -> None:
    """Record the imbalance; warn or stop when it lies above the bar, naming the classes and what they lack."""
    value = imbalance(counts)
    run.record("class_imbalance", value, how="(largest class - smallest class) / largest class, all rows")
    missing = missing_rows(counts, config.max_imbalance)
    run.details["missing_rows"] = missing
    shown = ", ".join(f"{label} has {counts[label]:,} rows and lacks {rows:,}" for label, rows in missing.items())
    message = f"class counts differ by {value:.0%}, the bar is {config.max_imbalance:.0%}: {shown}"
    if config.balance == "stop":
        run.gate(
            "class_imbalance",
            value,
            at_most=config.max_imbalance,
            message=message,
            next="bring more rows of these classes, or set split.balance to warn",
        )
    elif config.balance == "warn" and missing:
        run.warn(f"{message}   (change: split.balance, split.max_imbalance)")


def hold_classes(table: Mapping[str, Mapping[str, int]], classes: Sequence[str], config: SplitConfig) -> None:
    """Every class must be on every side. table: {side: {label: rows}}. Raises BadInput that names the first fault."""
    if len(classes) < 2:
        raise BadInput(
            f"all rows have one label, {classes[0]}" if classes else "no row has a label",
            next="a classifier needs at least two classes: check ingest.columns.label",
        )
    for side in SIDES:
        for label in classes:
            count = table[side].get(label, 0)
            if count < config.min_rows_per_class:
                total = sum(table[each].get(label, 0) for each in SIDES)
                raise BadInput(
                    f"{side} has {count} rows of class {label}, at least {config.min_rows_per_class} are needed "
                    f"({total:,} rows of it in all)",
                    where=f"side {side}, class {label}",
                    next=f"bring more rows of {label}, or raise split.shares.{side}; "
                    "with few rows another split.seed may do",
                )


def deviations(
    strata: Mapping[str, Mapping[tuple[str | None, str], int]], shares: Mapping[str, float]
) -> list[dict[str, Any]]:
    """Of each value of each stratum and each side: rows, share of the value's rows, and how far that is from asked.

    strata: for each column the rows by (value, side).
    """
    found = []
    for column, both in strata.items():
        totals: Counter[str | None] = Counter()
        for (value, _), count in both.items():
            totals[value] += count
        for value, total in sorted(totals.items(), key=lambda item: str(item[0])):
            for side in SIDES:
                rows = both.get((value, side), 0)
                share = rows / total
                found.append(
                    {
                        "column": column,
                        "value": value,
                        "side": side,
                        "rows": rows,
                        "share": round(share, 6),
                        "deviation": round(share - shares[side], 6),
                    }
                )
    return found
