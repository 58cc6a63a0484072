"""Slices: the metric where it may be worse than over all rows, by columns that came with the rows and by length."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.measure.worth import worth_interval
from modelyard.tasks import Metric
from modelyard.tasks.pipeline import Array

NO_VALUE = "(none)"
LENGTH = "length in tokens"


def length_values(sizes: Sequence[int]) -> list[str]:
    """A third of the rows each: short, middle, long, named by their range. One name when all have one length."""
    array = np.asarray(sizes)
    low, high = (int(cut) for cut in np.quantile(array, [1 / 3, 2 / 3], method="lower"))
    edges = [(int(array.min()), low), (low + 1, high), (high + 1, int(array.max()))]
    names = [f"{first}-{last}" for first, last in edges]
    place = np.where(array <= low, 0, np.where(array <= high, 1, 2))
    return [names[index] for index in place]


def metric_slices(
    metric: Metric,
    evidence: Array,
    columns: Mapping[str, Sequence[str | None]],
    *,
    most_values: int,
    least_rows: int,
    resamples: int,
) -> list[dict[str, Any]]:
    """{column, value, rows, NAME OF THE METRIC, interval} of every value of the columns that have few values; not of
    those in which the metric has no meaning."""
    found: list[dict[str, Any]] = []
    for column, given in columns.items():
        values = [NO_VALUE if value is None else value for value in given]
        distinct = list(dict.fromkeys(values))
        if not 1 < len(distinct) <= most_values:
            continue
        names = np.array(values, dtype=object)
        for value in sorted(distinct) if column != LENGTH else sorted(distinct, key=_first_number):
            inside = evidence[names == value]
            if len(inside) < least_rows or not math.isfinite(metric.value(inside)):
                continue
            found.append(
                {
                    "column": column,
                    "value": value,
                    "rows": len(inside),
                    metric.name: metric.value(inside),
                    "interval": list(worth_interval(metric, inside, resamples=resamples)),
                }
            )
    return found


def left_out(columns: Mapping[str, Sequence[str | None]], *, most_values: int, least_rows: int) -> list[dict[str, Any]]:
    """What metric_slices says nothing of: {column, value, rows} of small slices, {column, values} of columns with
    too many values to cut by. A column with one value has no slices to leave out."""
    found: list[dict[str, Any]] = []
    for column, given in columns.items():
        counts = Counter(NO_VALUE if value is None else value for value in given)
        if len(counts) > most_values:
            found.append({"column": column, "values": len(counts)})
        elif len(counts) > 1:
            small = [(value, rows) for value, rows in counts.most_common() if rows < least_rows]
            found += [{"column": column, "value": value, "rows": rows} for value, rows in small]
    return found


def _first_number(value: str) -> int:
    return int(value.partition("-")[0])
