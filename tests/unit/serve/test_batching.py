from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.serve.batch_choice import MAX_ITEMS, MAX_PADDING, alike, nearest_lengths
from modelyard.serve.batching import Batcher
from modelyard.serve.problems import Problem
from modelyard.serve.work import Work
from modelyard.tasks.tensor import TensorPipeline
from tests.unit.serve.fakes import LengthPipeline


@dataclass
class Waiting:
    size: int


def batch_of(*sizes: int) -> list[int]:
    return [sizes[place] for place in nearest_lengths([Waiting(size) for size in sizes])]


def test_the_oldest_goes_with_its_nearest_lengths() -> None:
    assert batch_of(10, 100, 11, 50, 9) == [10, 11, 9]


def test_the_oldest_goes_alone_when_all_others_are_far_from_it() -> None:
    assert batch_of(100, 10, 12, 11) == [100]


def test_a_batch_stops_at_eight_items() -> None:
    assert batch_of(*[20] * 30) == [20] * 8


def test_what_lies_beyond_the_window_waits() -> None:
    assert nearest_lengths([Waiting(20), *[Waiting(90)] * 9, Waiting(20)], window=10) == [0]


@given(st.lists(st.integers(0, 512), min_size=1, max_size=200))
def test_every_batch_keeps_to_its_bounds(sizes: list[int]) -> None:
    places = nearest_lengths([Waiting(size) for size in sizes])
    chosen = [sizes[place] for place in places]
    assert places[0] == 0
    assert len(set(places)) == len(places) <= MAX_ITEMS
    assert max(chosen) * len(chosen) - sum(chosen) <= MAX_PADDING * max(chosen) * len(chosen) + 1e-9


def work(pipeline: LengthPipeline, *texts: str, deadline: float | None = None) -> Work:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    return Work(future, [pipeline.prepare({"text": text}) for text in texts], deadline=deadline)


async def until(event: object) -> None:
    """Wait for a threading.Event without holding the loop."""
    while not event.is_set():  # type: ignore[attr-defined]
        await asyncio.sleep(0.001)


def run(test: object) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))  # type: ignore[operator]


def test_items_of_one_request_come_back_in_order_over_several_batches() -> None:
    async def test() -> None:
        pipeline = LengthPipeline()
        batcher = Batcher(pipeline, {}, asyncio.get_running_loop())
        sizes = [5, 200, 6, 90, 5, 210, 7, 80, 6, 5, 5, 5, 6, 7, 5]
        one = work(pipeline, *["x" * size for size in sizes])
        batcher.submit(one)
        await one.future
        assert one.answer()["length"].tolist() == sizes
        assert len(pipeline.batches) > 2
        batcher.close()

    run(test)


def test_what_arrives_while_a_batch_runs_goes_together_afterwards() -> None:
    async def test() -> None:
        pipeline = LengthPipeline()
        batcher = Batcher(pipeline, {}, asyncio.get_running_loop())
        pipeline.gate.clear()
        first = work(pipeline, "xxxxx")
        batcher.submit(first)
        await until(pipeline.entered)
        others = [work(pipeline, "x" * size) for size in (10, 11, 12)]
        for one in others:
            batcher.submit(one)
        pipeline.gate.set()
        await asyncio.gather(first.future, *(one.future for one in others))
        assert pipeline.batches == [[5], [10, 11, 12]]
        assert [float(one.answer()["length"][0]) for one in others] == [10, 11, 12]
        assert others[0].timings.batch == 3
        batcher.close()

    run(test)


def test_a_request_that_expired_or_was_cancelled_in_the_queue_is_not_computed() -> None:
    async def test() -> None:
        pipeline = LengthPipeline()
        batcher = Batcher(pipeline, {}, asyncio.get_running_loop())
        pipeline.gate.clear()
        first, expired, cancelled, last = (
            work(pipeline, "x"),
            work(pipeline, "xx", deadline=time.perf_counter() - 1),
            work(pipeline, "xxx"),
            work(pipeline, "xxxx"),
        )
        batcher.submit(first)
        await until(pipeline.entered)
        for one in (expired, cancelled, last):
            batcher.submit(one)
        cancelled.future.cancel()
        pipeline.gate.set()
        await last.future
        assert pipeline.batches == [[1], [4]]
        assert not expired.future.done()
        batcher.close()

    run(test)


def test_a_full_queue_answers_429_and_says_when_to_try_again() -> None:
    async def test() -> None:
        pipeline = LengthPipeline()
        batcher = Batcher(pipeline, {}, asyncio.get_running_loop(), queue_items=3)
        pipeline.gate.clear()
        running = work(pipeline, "x")
        batcher.submit(running)
        await until(pipeline.entered)
        waiting = work(pipeline, "x", "x", "x")
        batcher.submit(waiting)
        with pytest.raises(Problem) as caught:
            batcher.submit(work(pipeline, "x"))
        assert (caught.value.status, caught.value.retry_after) == (429, 1)
        pipeline.gate.set()
        await waiting.future
        batcher.close()

    run(test)


def test_an_item_that_breaks_the_graph_does_not_take_its_neighbours_down() -> None:
    async def test() -> None:
        pipeline = LengthPipeline(poison="bad")
        batcher = Batcher(pipeline, {}, asyncio.get_running_loop())
        pipeline.gate.clear()
        first = work(pipeline, "x")
        batcher.submit(first)
        await until(pipeline.entered)
        good, bad = work(pipeline, "god"), work(pipeline, "bad")
        batcher.submit(good)
        batcher.submit(bad)
        pipeline.gate.set()
        await good.future
        with pytest.raises(RuntimeError, match="fell over"):
            await bad.future
        assert good.answer()["length"].tolist() == [3]
        batcher.close()

    run(test)


def test_closing_finishes_what_is_queued() -> None:
    async def test() -> None:
        pipeline = LengthPipeline()
        batcher = Batcher(pipeline, {}, asyncio.get_running_loop(), workers=2)
        ones = [work(pipeline, "x" * size) for size in range(1, 40)]
        for one in ones:
            batcher.submit(one)
        await asyncio.to_thread(batcher.close)
        await asyncio.gather(*(one.future for one in ones))
        with pytest.raises(Problem, match="stopping"):
            batcher.submit(work(pipeline, "x"))

    run(test)


class TensorsOfRows:
    """A graph that doubles x, or adds it up over all rows where it is told to be no graph of rows."""

    def __init__(self, *, summing: bool = False) -> None:
        self.shapes: list[tuple[int, ...]] = []
        self.entered, self.gate = threading.Event(), threading.Event()
        self._summing = summing

    def run(self, feeds: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
        self.shapes.append(feeds["x"].shape)
        self.entered.set()
        assert self.gate.wait(10)
        return {"y": feeds["x"].sum(axis=0, keepdims=True) if self._summing else feeds["x"] * 2}


def tensor_work(rows: Sequence[Sequence[float]], *, stacked: bool = True) -> Work:
    future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    x = np.array(rows, dtype=np.float32)
    return Work(future, feeds={"x": x}, height=len(x), alike=x.shape[1:] if stacked else None)


async def answered(graph: TensorsOfRows, works: list[Work]) -> list[list[list[float]]]:
    """The first is being computed while the others come in."""
    pipeline = TensorPipeline({"x": ("FP32", (-1, -1))}, batch=True)
    batcher = Batcher(pipeline, {"model": graph}, asyncio.get_running_loop())
    batcher.submit(works[0])
    await until(graph.entered)
    for one in works[1:]:
        batcher.submit(one)
    graph.gate.set()
    await asyncio.gather(*(one.future for one in works))
    batcher.close()
    return [one.answer()["y"].tolist() for one in works]


def test_requests_for_rows_of_one_shape_are_run_together_and_answered_apart() -> None:
    async def test() -> None:
        graph = TensorsOfRows()
        works = [tensor_work(rows) for rows in ([[1]], [[2], [3]], [[4, 5]], [[6]], [[7]] * 6)]
        works.append(tensor_work([[8]], stacked=False))
        found = await answered(graph, works)
        assert found == [[[2]], [[4], [6]], [[8, 10]], [[12]], [[14]] * 6, [[16]]]
        # The oldest and those like it, 8 rows at most; another shape, and what may not be run together, alone.
        assert graph.shapes == [(1, 1), (3, 1), (1, 2), (6, 1), (1, 1)]
        assert works[1].timings.batch == 3

    run(test)


def test_a_graph_that_does_not_answer_row_by_row_after_all_is_run_for_each_alone() -> None:
    async def test() -> None:
        graph = TensorsOfRows(summing=True)
        found = await answered(graph, [tensor_work([[n], [n]]) for n in (1, 2, 3)])
        assert found == [[[2]], [[4]], [[6]]]
        assert graph.shapes == [(2, 1), (4, 1), (2, 1), (2, 1)]

    run(test)


@given(st.lists(st.tuples(st.integers(0, 12), st.sampled_from([None, (1,), (2,)])), min_size=1, max_size=40))
def test_what_is_run_together_is_alike_and_no_more_than_a_batch(
    drawn: list[tuple[int, tuple[int, ...] | None]],
) -> None:
    works = [Work(None, feeds={}, height=height, alike=key) for height, key in drawn]  # type: ignore[arg-type]
    places = alike(works)
    assert places[0] == 0
    assert len(set(places)) == len(places)
    assert len(places) == 1 or works[0].alike is not None
    assert {works[place].alike for place in places} == {works[0].alike}
    assert sum(works[place].height for place in places) <= max(MAX_ITEMS, works[0].height)
