"""What is told of answers that are numbers: how they follow what was wanted, and where they do so least."""

from __future__ import annotations

from typing import Any

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.run import Run
from modelyard.stages.evaluate.labelled import source_of
from modelyard.tasks.pipeline import Array
from modelyard.tasks.ranks import average_ranks

WORST_SHOWN = 20
MOST_LEVELS = 10  # of wanted values that are shown one by one; more are put together
TEXT_SHOWN = 300


def record_ranked(pairs: Array, test: Examples, run: Run) -> None:
    """pairs: float64 [rows, 2], answered and wanted."""
    run.details["levels"] = levels(pairs)
    run.details["examples_apart"] = _apart(pairs, test)


def levels(pairs: Array) -> list[dict[str, Any]]:
    """{low, high, rows, median, p10, p90} of the answers for each wanted value; where there are more than MOST_LEVELS
    values, for as many parts of the rows in their order, equal values never parted."""
    answered, wanted = pairs[:, 0], pairs[:, 1]
    distinct = np.unique(wanted)
    if len(distinct) > MOST_LEVELS:
        edges = np.unique(np.quantile(wanted, np.linspace(0, 1, MOST_LEVELS + 1)[1:-1], method="lower"))
        place = np.searchsorted(edges, wanted)
    else:
        place = np.searchsorted(distinct, wanted)
    found = []
    for level in np.unique(place):
        inside = place == level
        p10, median, p90 = (float(value) for value in np.quantile(answered[inside], [0.1, 0.5, 0.9]))
        low, high = float(wanted[inside].min()), float(wanted[inside].max())
        found.append({"low": low, "high": high, "rows": int(inside.sum()), "median": median, "p10": p10, "p90": p90})
    return found


def _apart(pairs: Array, test: Examples) -> list[dict[str, Any]]:
    """The rows whose place among the answers lies furthest from their place among the wanted values."""
    rows = len(pairs)
    gap = np.abs(average_ranks(pairs[:, 0]) - average_ranks(pairs[:, 1])) / max(rows - 1, 1)
    worst = np.argsort(-gap, kind="stable")[:WORST_SHOWN]
    return [
        {
            "row_id": test.row_ids[row],
            "texts": [test.text(place)[:TEXT_SHOWN] for place in range(row * test.per_row, (row + 1) * test.per_row)],
            "answered": round(float(pairs[row, 0]), 4),
            "wanted": round(float(pairs[row, 1]), 4),
            "apart": round(float(gap[row]), 4),
            **source_of(test, int(row)),
        }
        for row in worst
        if gap[row] > 0
    ]
