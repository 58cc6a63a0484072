"""Which items, or requests, of the queue are run together."""

from __future__ import annotations

import heapq
from collections.abc import Sequence
from typing import Protocol

from modelyard.serve.work import Work

MAX_ITEMS = 8
# Share of a batch's cells that are padding. On short reviews 0.10 costs 3-15 % less CPU an item than 0.25, for the
# same number of items at most; 0.05 leaves batches of four.
MAX_PADDING = 0.10
WINDOW = 128  # how far down the queue near lengths are looked for


class Sized(Protocol):
    @property
    def size(self) -> int: ...


def nearest_lengths(
    queue: Sequence[Sized], most: int = MAX_ITEMS, padding: float = MAX_PADDING, window: int = WINDOW
) -> list[int]:
    """Places in the queue of the next batch: the oldest and its nearest lengths, oldest first among equals.

    Stops before the batch would hold more than `most` items or a larger share of padding than `padding`.
    """
    if len(queue) == 1:
        return [0]
    oldest = queue[0].size
    reach = min(len(queue), window)
    near = heapq.nsmallest(most - 1, range(1, reach), key=lambda k: abs(queue[k].size - oldest))
    batch, longest, cells = [0], oldest, oldest
    for place in near:
        size = queue[place].size
        widest = max(longest, size)
        if widest and 1.0 - (cells + size) / (widest * (len(batch) + 1)) > padding:
            break
        batch.append(place)
        longest, cells = widest, cells + size
    return batch


def alike(works: Sequence[Work], most: int = MAX_ITEMS) -> list[int]:
    """Places of the next batch on the tensor level: the oldest, and those like it, `most` rows in all if it can be."""
    oldest = works[0]
    places, rows = [0], oldest.height
    if oldest.alike is not None:
        for place, work in enumerate(works[1:], 1):
            if work.alike == oldest.alike and rows + work.height <= most:
                places.append(place)
                rows += work.height
    return places
