"""What only all rows together can tell, found one partition of their keys at a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.stages.clean.rules import DATASET_RULES
from modelyard.store.spill import Spill


class Reasons:
    """Rows to drop and why, on disk, by the number of the row."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._names: list[str] = []
        self._files: list[tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]] = []
        self.counts: Counter[str] = Counter()

    def add(self, rows: np.ndarray[Any, Any], reasons: Sequence[str]) -> None:
        """rows: ascending."""
        self.counts.update(reasons)
        self._names += [name for name in dict.fromkeys(reasons) if name not in self._names]
        codes = {name: code for code, name in enumerate(self._names)}
        self._files.append(
            (
                self._kept("rows", rows.astype(np.int64)),
                self._kept("codes", np.fromiter((codes[reason] for reason in reasons), np.uint8, len(reasons))),
            )
        )

    def _kept(self, kind: str, values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        path = self._folder / f"{kind}-{len(self._files)}.npy"
        np.save(path, values)
        kept: np.ndarray[Any, Any] = np.load(path, mmap_mode="r" if len(values) else None)
        return kept

    def between(self, start: int, end: int) -> tuple[np.ndarray[Any, Any], list[str]]:
        """The rows of start <= row < end and the reason of each, in row order."""
        rows, codes = [np.zeros(0, dtype=np.int64)], [np.zeros(0, dtype=np.uint8)]
        for numbers, reasons in self._files:
            first, last = np.searchsorted(numbers, [start, end])
            rows.append(np.asarray(numbers[first:last]))
            codes.append(np.asarray(reasons[first:last]))
        all_rows, all_codes = np.concatenate(rows), np.concatenate(codes)
        order = np.argsort(all_rows, kind="stable")
        return all_rows[order], [self._names[code] for code in all_codes[order].tolist()]


def find_duplicates(spill: Spill, rules: Sequence[str], classes: bool) -> Reasons:
    """Those of `rules` that look at all rows; a row that two would drop goes for the first one's reason."""
    import polars as pl

    found = Reasons(spill.folder)
    for keys in spill.each():
        dropped = pl.concat([DATASET_RULES[name](keys, classes) for name in rules])
        dropped = dropped.unique("row", keep="first", maintain_order=True).sort("row")
        found.add(dropped["row"].to_numpy(), dropped["reason"].to_list())
    return found
