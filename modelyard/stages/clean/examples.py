"""The first rows that were repaired or dropped, for a person to look at: never more than a few."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.stages.clean.changes import around_change
from modelyard.stages.clean.repair import Repaired
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, PartView, show_row_id

SHOWN_DROPPED = 50
SHOWN_CHANGES = 20
SHOWN_CHARACTERS = 120
SOURCE_COLUMNS = ("source_file", "source_line")  # where ingest found a row

Rows = np.ndarray[Any, np.dtype[np.int64]]


def changed_rows(
    view: PartView, rows: Rows, repaired: Mapping[str, Repaired], empty: np.ndarray[Any, Any], most: int
) -> list[dict[str, Any]]:
    """The first repaired rows that stay, before and after, around the first sign that differs.

    rows: the places in the part that the repaired texts were read from. With several columns each example names its.
    """
    found: list[tuple[int, str, str, str]] = []
    for name, each in repaired.items():
        stay = np.flatnonzero(~empty[each.places])[:most].tolist()
        found += [(int(rows[each.places[n]]), name, each.before[n], each.after[n]) for n in stay]
    found = sorted(found, key=lambda one: one[0])[:most]
    examples = []
    for (_, name, before, after), named in zip(found, _named(view, [one[0] for one in found]), strict=True):
        old, new = around_change(before, after)
        column = {"column": name} if len(repaired) > 1 else {}
        examples.append({**named, **column, "before": old, "after": new})
    return examples


def dropped_rows(dataset: Dataset, cleaned: Dataset, reason: str, texts: list[str]) -> list[dict[str, Any]]:
    """The first dropped rows, with what is left of their texts."""
    examples: list[dict[str, Any]] = []
    for before, after in zip(dataset.views(), cleaned.views(), strict=True):
        places = np.flatnonzero(before.selection() & ~after.selection())[: SHOWN_DROPPED - len(examples)].tolist()
        if places:
            table = _take(after, [reason, *texts], places)
            reasons = table[reason].to_pylist()
            shown = zip(*(table[name].to_pylist() for name in texts), strict=True) if texts else [()] * len(places)
            for named, why, values in zip(_named(after, places), reasons, shown, strict=True):
                examples.append({**named, "reason": why, "text": _short(" | ".join(value or "" for value in values))})
        if len(examples) == SHOWN_DROPPED:
            break
    return examples


def _short(text: str) -> str:
    return text if len(text) <= SHOWN_CHARACTERS else text[: SHOWN_CHARACTERS - 1] + "…"


def _take(view: PartView, columns: list[str], places: list[int]) -> pa.Table:
    return view.read(columns, dropped=True).take(pa.array(places, pa.int64()))


def _named(view: PartView, places: list[int]) -> list[dict[str, Any]]:
    """row_id of the rows at these places and, where ingest kept it, the file and the line they came from."""
    if not places:
        return []
    table = _take(view, [ROW_ID, *(name for name in SOURCE_COLUMNS if view.dataset.has(name))], places)
    return [
        {
            "row_id": show_row_id(row[ROW_ID]),
            **{name.removeprefix("source_"): row[name] for name in SOURCE_COLUMNS if name in row},
        }
        for row in table.to_pylist()
    ]
