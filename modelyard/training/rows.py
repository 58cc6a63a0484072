"""Prepared rows as flat arrays: prepared once, a few bytes a token, no Python object a row."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.task import Array, Pipeline, Prepared

if TYPE_CHECKING:
    from modelyard.training.row_cache import RowCache


@dataclass(frozen=True)
class Rows:
    """Features of one axis as long as the row's size, flat; where each row starts; targets, first axis the rows.

    kinds: the types that the pipeline gave features in, where they are kept in narrower ones.
    """

    features: dict[str, Array]
    starts: Array  # int64 [rows + 1]
    sizes: Array  # int64 [rows]
    targets: Array
    truncated: int
    kinds: Mapping[str, np.dtype[Any]] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.sizes)

    def item(self, row: int) -> Prepared:
        """One row as the pipeline made it."""
        start, end = int(self.starts[row]), int(self.starts[row + 1])
        return Prepared(
            {
                name: flat[start:end].astype(self.kinds.get(name, flat.dtype), copy=False)
                for name, flat in self.features.items()
            },
            int(self.sizes[row]),
        )


@dataclass(frozen=True)
class Chunk:
    """Items to prepare at once and their targets; `name` shows one of them, by its place in the chunk, to people."""

    items: Sequence[Mapping[str, Any]]
    targets: Array
    name: Callable[[int], str]


def prepare_rows(
    pipeline: Pipeline,
    parts: Iterable[tuple[int, Iterable[Chunk]]],
    cache: RowCache,
    after_chunk: Callable[[int], None],
) -> Rows:
    """Prepare part after part (place, chunks) into the cache; `after_chunk` hears how many rows are done.

    After each part the cache is safe on disk: a killed run goes on behind the last one. Raises BadInput that names the
    row.
    """
    with contextlib.closing(cache):
        for place, chunks in parts:
            for chunk in chunks:
                try:
                    prepared = pipeline.prepare_batch(chunk.items)
                except BadInput as error:
                    item = int((error.where or "item 0").removeprefix("item "))
                    raise BadInput(error.message, where=chunk.name(item), next="run clean on this data first") from None
                cache.append(prepared, chunk.targets)
                after_chunk(len(cache))
            cache.commit(place + 1)
        cache.finish()
        return cache.rows()
