"""Prepared rows held as flat arrays: prepared once, a few bytes a token, no Python object a row."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.task import Array, Pipeline, Prepared

INT32 = np.iinfo(np.int32)


@dataclass(frozen=True)
class Rows:
    """Features of one axis as long as the row's size, flat; where each row starts; targets, first axis the rows."""

    features: dict[str, Array]
    starts: Array  # int64 [rows + 1]
    sizes: Array  # int64 [rows]
    targets: Array
    truncated: int

    def __len__(self) -> int:
        return len(self.sizes)

    def item(self, row: int) -> Prepared:
        """One row as the pipeline made it."""
        start, end = int(self.starts[row]), int(self.starts[row + 1])
        return Prepared({name: flat[start:end] for name, flat in self.features.items()}, int(self.sizes[row]))


def prepare_rows(
    pipeline: Pipeline,
    chunks: Iterable[Sequence[Mapping[str, Any]]],
    targets: Array,
    name_row: Callable[[int], str],
    after_chunk: Callable[[int], None],
) -> Rows:
    """Prepare the items chunk by chunk. `name_row` shows a row to people, `after_chunk` hears how many are done.

    Whole numbers are kept as int32 where they fit: a vocabulary does. Raises BadInput that names the row.
    """
    prepared: list[Prepared] = []
    features: dict[str, list[Array]] = {}
    for chunk in chunks:
        try:
            done = pipeline.prepare_batch(chunk)
        except BadInput as error:
            place = len(prepared) + int((error.where or "item 0").removeprefix("item "))
            raise BadInput(error.message, where=name_row(place), next="run clean on this data first") from None
        for name in done[0].features:
            features.setdefault(name, []).append(_compact(np.concatenate([item.features[name] for item in done])))
        prepared.extend(Prepared({}, item.size, item.truncated) for item in done)
        after_chunk(len(prepared))
    sizes = np.fromiter((item.size for item in prepared), dtype=np.int64, count=len(prepared))
    return Rows(
        {name: np.concatenate(pieces) for name, pieces in features.items()},
        np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(sizes)]),
        sizes,
        targets,
        sum(item.truncated for item in prepared),
    )


def _compact(values: Array) -> Array:
    if values.dtype == np.int64 and values.size and INT32.min <= values.min() and values.max() <= INT32.max:
        return values.astype(np.int32)
    return values
