"""Batches put together by length while the one before runs; no timer.

On a CPU first-come batches lose to no batches at all, since short texts pay for the padding of long ones. So items are
tokenised on arrival, wait while the compute threads are busy, and the next batch is the oldest item with its nearest
lengths.
"""

from __future__ import annotations

import asyncio
import heapq
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import numpy as np

from modelyard.serve.problems import Problem
from modelyard.serve.requests import Timings
from modelyard.tasks.task import Graph, Pipeline, Prepared, Tensors

MAX_ITEMS = 8
# Share of a batch's cells that are padding. On short reviews 0.10 costs 3-15 % less CPU an item than 0.25, for the
# same number of items at most; 0.05 leaves batches of four.
MAX_PADDING = 0.10
WINDOW = 128  # how far down the queue near lengths are looked for
QUEUE_ITEMS = 1024


class Sized(Protocol):
    @property
    def size(self) -> int: ...


class Work:
    """One request in the queue: its items (or, for the tensor level, its feeds), and the future that is awaited."""

    __slots__ = ("arrived", "deadline", "feeds", "future", "left", "outputs", "prepared", "rows", "timings")

    def __init__(
        self,
        future: asyncio.Future[None],
        prepared: Sequence[Prepared] = (),
        feeds: Tensors | None = None,
        deadline: float | None = None,
    ) -> None:
        self.future = future
        self.prepared = prepared
        self.feeds = feeds
        self.deadline = deadline
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


class Batcher:
    """A bounded queue and the compute threads that empty it."""

    def __init__(
        self,
        pipeline: Pipeline,
        graphs: Mapping[str, Graph],
        loop: asyncio.AbstractEventLoop,
        *,
        workers: int = 1,
        queue_items: int = QUEUE_ITEMS,
        on_batch: Callable[[int], None] = lambda items: None,
    ) -> None:
        """on_batch is told on the event loop how many items each batch held."""
        self._pipeline = pipeline
        self._graphs = graphs
        self._loop = loop
        self._limit = queue_items
        self._on_batch = on_batch
        self._queue: list[Item] = []
        self._ready = threading.Condition()
        self._closed = False
        self._threads = [
            threading.Thread(target=self._compute_all, name=f"compute-{number}", daemon=True)
            for number in range(workers)
        ]
        for thread in self._threads:
            thread.start()

    @property
    def waiting(self) -> int:
        """Items in the queue."""
        return len(self._queue)

    def submit(self, work: Work) -> None:
        """Queue a request. Raises Problem 429 when the queue is full, 503 when it is closed."""
        work.arrived = time.perf_counter()
        if work.feeds is None:
            items = [Item(work, place, prepared.size) for place, prepared in enumerate(work.prepared)]
        else:
            items = [Item(work, 0, 0)]
        with self._ready:
            if self._closed:
                raise Problem(503, "the server is stopping", retry_after=1)
            if self._queue and len(self._queue) + len(items) > self._limit:
                raise Problem(429, f"the queue is full: {len(self._queue)} items wait", retry_after=1)
            self._queue.extend(items)
            self._ready.notify(len(items))

    def close(self, timeout: float = 5.0) -> None:
        """Finish what is queued and end the threads."""
        with self._ready:
            self._closed = True
            self._ready.notify_all()
        for thread in self._threads:
            thread.join(timeout)

    def _take(self) -> list[Item]:
        """The next batch, without what nobody waits for any more. Called with the lock held."""
        now = time.perf_counter()
        alive = [
            item
            for item in self._queue
            if not item.work.future.done() and (item.work.deadline is None or item.work.deadline > now)
        ]
        if not alive:
            self._queue = []
            return []
        if alive[0].work.feeds is not None:
            places = [0]
        else:
            # A request on the tensor level runs alone; it is never a neighbour.
            mergeable = [k for k, item in enumerate(alive) if item.work.feeds is None]
            places = [mergeable[k] for k in nearest_lengths([alive[k] for k in mergeable])]
        taken = set(places)
        self._queue = [item for k, item in enumerate(alive) if k not in taken]
        return [alive[k] for k in places]

    def _compute_all(self) -> None:
        while True:
            with self._ready:
                while not self._queue and not self._closed:
                    self._ready.wait()
                if not self._queue:
                    return
                batch = self._take()
            if batch:
                self._compute(batch)

    def _compute(self, batch: list[Item]) -> None:
        started = time.perf_counter()
        try:
            if batch[0].work.feeds is not None:
                outputs: Tensors = self._pipeline.run(self._graphs, batch[0].work.feeds)
                computed = time.perf_counter()
            else:
                feeds = self._pipeline.collate([item.work.prepared[item.place] for item in batch])
                raw = self._pipeline.run(self._graphs, feeds)
                computed = time.perf_counter()
                outputs = self._pipeline.decode(raw)
        except Exception as error:  # whatever a runtime or a task raises, the thread lives on
            if len(batch) == 1:
                self._tell(self._fail, batch, error)
            else:
                # One item must not take its neighbours down.
                for item in batch:
                    self._compute([item])
            return
        self._tell(self._deliver, batch, outputs, (started, computed, time.perf_counter()))

    def _tell(self, function: Callable[..., None], *arguments: Any) -> None:
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(function, *arguments)

    def _fail(self, batch: list[Item], error: Exception) -> None:
        future = batch[0].work.future
        if not future.done():
            future.set_exception(error)

    def _deliver(self, batch: list[Item], outputs: Tensors, times: tuple[float, float, float]) -> None:
        """On the event loop: hand each item its row, and wake the requests that are whole."""
        started, computed, decoded = times
        self._on_batch(len(batch))
        first = batch[0].work
        whole = len(batch) == len(first.rows) and all(item.work is first for item in batch)
        for row, item in enumerate(batch):
            work = item.work
            work.rows[item.place] = (outputs, row)
            work.left -= 1
            timings = work.timings
            timings.queue = max(timings.queue, started - work.arrived)
            timings.compute = max(timings.compute, computed - started)
            timings.decode = max(timings.decode, decoded - computed)
            timings.batch = max(timings.batch, len(batch))
        if whole and [item.place for item in batch] == list(range(len(batch))):
            first.outputs = outputs
        for item in batch:
            if item.work.left == 0 and not item.work.future.done():
                item.work.future.set_result(None)
