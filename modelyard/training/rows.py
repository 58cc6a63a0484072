"""Prepared rows as flat arrays: prepared once, a few bytes a token, no Python object a row."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelyard.tasks.pipeline import Array, Prepared

# Targets of rows: one array, first axis the rows; or where rows have several each (boxes, tokens), one array a row.
Targets = Array | Sequence[Array]
# Stands where a row has fewer targets than another of its batch: no class and no token has such a number.
NO_TARGET = -1


@dataclass(frozen=True)
class Rows:
    """Features that are as long as the row's size, flat; where each row starts; targets, first axis the rows.

    kinds: the types that the pipeline gave features in, where they are kept in narrower ones.
    shaped: features of one shape in all rows, first axis the rows.
    target_starts: where the targets of each row start, where rows have several; then `targets` is flat.
    """

    features: dict[str, Array]
    starts: Array  # int64 [rows + 1]
    sizes: Array  # int64 [rows]
    targets: Array
    truncated: int
    kinds: Mapping[str, np.dtype[Any]] = field(default_factory=dict)
    shaped: Mapping[str, Array] = field(default_factory=dict)
    target_starts: Array | None = None  # int64 [rows + 1]

    def __len__(self) -> int:
        return len(self.sizes)

    def item(self, row: int) -> Prepared:
        """One row as the pipeline made it."""
        start, end = int(self.starts[row]), int(self.starts[row + 1])
        found = {name: flat[start:end] for name, flat in self.features.items()}
        found |= {name: values[row] for name, values in self.shaped.items()}
        return Prepared(
            {name: values.astype(self.kinds.get(name, values.dtype), copy=False) for name, values in found.items()},
            int(self.sizes[row]),
        )

    def targets_of(self, rows: Array) -> Array:
        """Targets of these rows, first axis the rows; where they have several each, [n, most, ...], filled up with
        NO_TARGET."""
        if self.target_starts is None:
            chosen: Array = self.targets[rows]
            return chosen
        starts, ends = self.target_starts[rows], self.target_starts[rows + 1]
        most = int((ends - starts).max(initial=0))
        padded: Array = np.full((len(rows), most, *self.targets.shape[1:]), NO_TARGET, dtype=self.targets.dtype)
        for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
            padded[place, : end - start] = self.targets[start:end]
        return padded
