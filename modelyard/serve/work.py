"""A request in the queue, and its items."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelyard.serve.requests import Timings
from modelyard.tasks.pipeline import Prepared, Tensors


class Work:
    """One request in the queue: its items (or, for the tensor level, its feeds), and the future that is awaited.

    height: rows of the feeds; alike: what another request's must be equal to for both to be run together, None for a
    request that runs alone.
    """

    __slots__ = (
        *("alike", "arrived", "deadline", "feeds", "future", "height", "left", "outputs", "prepared", "rows"),
        "timings",
    )

    def __init__(
        self,
        future: asyncio.Future[None],
        prepared: Sequence[Prepared] = (),
        feeds: Tensors | None = None,
        deadline: float | None = None,
        height: int = 1,
        alike: tuple[Any, ...] | None = None,
    ) -> None:
        self.future = future
        self.prepared = prepared
        self.feeds = feeds
        self.deadline = deadline
        self.height = height
        self.alike = alike
        self.left = len(prepared) if feeds is None else 1
        self.rows: list[tuple[Tensors, int] | None] = [None] * self.left
        self.outputs: Tensors | None = None  # set at once when one batch held the whole request
        self.timings = Timings()
        self.arrived = 0.0

    def answer(self) -> Tensors:
        """Decoded outputs of all items, in the order in which they were given."""
        if self.outputs is not None:
            return self.outputs
        rows = [row for row in self.rows if row is not None]
        return {name: np.concatenate([outputs[name][k : k + 1] for outputs, k in rows]) for name in rows[0][0]}


class Item:
    """One item of a request; size is its cost, by which batches are put together."""

    __slots__ = ("place", "size", "work")

    def __init__(self, work: Work, place: int, size: int) -> None:
        self.work = work
        self.place = place
        self.size = size
