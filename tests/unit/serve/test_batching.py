from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.serve.batching import MAX_ITEMS, MAX_PADDING, Batcher, Work, nearest_lengths
from modelyard.serve.problems import Problem
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
