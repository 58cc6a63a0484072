"""Rows of data, prepared once into the cache that training reads."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Pipeline
from modelyard.training.row_cache import RowCache
from modelyard.training.rows import Rows, Targets


@dataclass(frozen=True)
class Chunk:
    """Items to prepare at once and their targets; `name` shows one of them, by its place in the chunk, to people."""

    items: Sequence[Mapping[str, Any]]
    targets: Targets
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
