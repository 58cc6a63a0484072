"""Batches put together by length while the one before runs; no timer.

On a CPU first-come batches lose to no batches at all, since short texts pay for the padding of long ones. So items are
tokenised on arrival, wait while the compute threads are busy, and the next batch is the oldest item with its nearest
lengths. Behind each batch every stream has a turn (modelyard.serve.streams), and behind these comes the next batch.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from modelyard.serve.batch_choice import WINDOW, alike, nearest_lengths
from modelyard.serve.problems import Problem
from modelyard.serve.streams import Stream, Turns
from modelyard.serve.work import Item, Work
from modelyard.tasks.pipeline import Graph, Pipeline, Prepared, Tensors

QUEUE_ITEMS = 1024


def _stopping() -> Problem:
    return Problem(503, "the server is stopping", retry_after=1)


def _full(waiting: int) -> Problem:
    return Problem(429, f"the queue is full: {waiting} items wait", retry_after=1)


def _check_height(outputs: Tensors, works: Sequence[Work]) -> None:
    """That requests run together were answered row by row. Raises ValueError, and each is then run alone."""
    rows = sum(work.height for work in works)
    if len(works) > 1 and any(array.shape[:1] != (rows,) for array in outputs.values()):
        raise ValueError(f"{rows} rows were not answered row by row")


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
        self._turns = Turns()
        self._turns_left = 0  # before the next batch
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
        """Items in the queue, and streams that have not begun."""
        return len(self._queue) + self._turns.waiting

    def submit(self, work: Work) -> None:
        """Queue a request. Raises Problem 429 when the queue is full, 503 when it is closed."""
        work.arrived = time.perf_counter()
        if work.feeds is None:
            items = [Item(work, place, prepared.size) for place, prepared in enumerate(work.prepared)]
        else:
            items = [Item(work, 0, 0)]
        with self._ready:
            if self._closed:
                raise _stopping()
            if self._queue and len(self._queue) + len(items) > self._limit:
                raise _full(len(self._queue))
            self._queue.extend(items)
            self._ready.notify(len(items))

    def begin(self, stream: Stream) -> None:
        """Queue a stream. Raises as `submit` does."""

        def wake() -> None:
            with self._ready:
                self._turns.wake(stream)
                self._ready.notify()

        stream.wake = wake
        with self._ready:
            if self._closed:
                raise _stopping()
            if self._turns.waiting >= self._limit:
                raise _full(self._turns.waiting)
            self._turns.add(stream)
            self._ready.notify()

    def give_up_streams(self) -> None:
        """On the event loop: tell the readers of all streams that no more comes."""
        with self._ready:
            streams = self._turns.all
        for stream in streams:
            stream.stop(_stopping())

    def close(self, timeout: float = 5.0) -> None:
        """Finish what is queued and end the threads; streams end with the piece that is made now."""
        with self._ready:
            self._closed = True
            for stream in self._turns.all:
                stream.over = True
                self._turns.wake(stream)
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
            places = alike([item.work for item in alive[:WINDOW]])
        else:
            # A request on the tensor level is never an item's neighbour.
            mergeable = [k for k, item in enumerate(alive) if item.work.feeds is None]
            places = [mergeable[k] for k in nearest_lengths([alive[k] for k in mergeable])]
        taken = set(places)
        self._queue = [item for k, item in enumerate(alive) if k not in taken]
        return [alive[k] for k in places]

    def _compute_all(self) -> None:
        stream: Stream | None = None
        more = False
        while True:
            batch: list[Item] = []
            with self._ready:
                if stream is not None:
                    self._turns.back(stream, more)
                    stream = None
                while not self._queue and not self._turns and not self._closed:
                    self._ready.wait()
                if self._turns and (self._turns_left > 0 or not self._queue):
                    self._turns_left -= 1
                    stream = self._turns.pop()
                elif self._queue:
                    self._turns_left = len(self._turns)
                    batch = self._take()
                else:
                    return
            if stream is not None:
                more = stream.turn()
            elif batch:
                self._compute(batch)

    def _compute(self, batch: list[Item]) -> None:
        started = time.perf_counter()
        try:
            if batch[0].work.feeds is not None:
                works = [item.work for item in batch]
                outputs: Tensors = self._pipeline.run(self._graphs, self._stacked(works))
                computed = time.perf_counter()
                _check_height(outputs, works)
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
        deliver = self._deliver if batch[0].work.feeds is None else self._deliver_whole
        self._tell(deliver, batch, outputs, (started, computed, time.perf_counter()))

    def _stacked(self, works: Sequence[Work]) -> Tensors:
        """The feeds of one request, or of several that are run together."""
        if len(works) == 1:
            return works[0].feeds or {}
        return self._pipeline.collate([Prepared(work.feeds or {}, work.height) for work in works])

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

    def _deliver_whole(self, batch: list[Item], outputs: Tensors, times: tuple[float, float, float]) -> None:
        """On the event loop: hand each request on the tensor level its rows."""
        started, computed, decoded = times
        rows = sum(item.work.height for item in batch)
        self._on_batch(rows)
        start = 0
        for item in batch:
            work = item.work
            stop = start + work.height
            alone = len(batch) == 1
            work.outputs = outputs if alone else {name: array[start:stop] for name, array in outputs.items()}
            work.timings.queue = started - work.arrived
            work.timings.compute = computed - started
            work.timings.decode = decoded - computed
            work.timings.batch = rows
            start = stop
            if not work.future.done():
                work.future.set_result(None)
