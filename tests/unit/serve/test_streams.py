from __future__ import annotations

import asyncio
import itertools
import threading
from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import pytest

from modelyard.serve.batching import Batcher
from modelyard.serve.problems import Problem
from modelyard.serve.streams import AHEAD, Stream
from modelyard.serve.work import Work
from modelyard.tasks.sequences import MOST_STREAMS
from tests.unit.serve.fakes import LengthPipeline


def run(test: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(test(), 20))


class Counting:
    """Pieces `0`, `1`, ...: tells how many were made, whether it was closed, and in which order it had its turns."""

    def __init__(self, pieces: int, *, log: list[str] | None = None, name: str = "", fails_at: int = -1) -> None:
        self.pieces, self.made, self.closed, self.fails_at = pieces, 0, threading.Event(), fails_at
        self.log, self.name = log if log is not None else [], name
        self.gate = threading.Event()
        self.gate.set()

    def __call__(self) -> Iterator[str]:
        try:
            for piece in range(self.pieces):
                assert self.gate.wait(10)
                if piece == self.fails_at:
                    raise RuntimeError("the graph fell over")
                self.log.append(f"{self.name}{piece}")
                self.made += 1
                yield str(piece)
        finally:
            self.closed.set()


async def read(stream: Stream) -> list[str]:
    pieces = []
    while (piece := await stream.next()) is not None:
        pieces.append(piece)
    return pieces


async def until(condition: Callable[[], bool]) -> None:
    while not condition():
        await asyncio.sleep(0.001)


def batcher_of(pipeline: LengthPipeline | None = None, **named: Any) -> Batcher:
    return Batcher(pipeline or LengthPipeline(), {}, asyncio.get_running_loop(), **named)


async def closed(batcher: Batcher) -> None:
    await asyncio.to_thread(batcher.close)


def begun(batcher: Batcher, pieces: Callable[[], Iterator[str]]) -> Stream:
    stream = Stream(pieces, asyncio.get_running_loop())
    batcher.begin(stream)
    return stream


def test_pieces_come_in_order_and_their_times_are_known() -> None:
    async def test() -> None:
        batcher, source = batcher_of(), Counting(5)
        stream = begun(batcher, source)
        assert await read(stream) == ["0", "1", "2", "3", "4"]
        assert await stream.next() is None
        assert stream.timings.pieces == 5
        assert 0 < stream.timings.queue < stream.timings.first < 20
        assert 0 < stream.timings.compute < 20
        await closed(batcher)

    run(test)


def test_streams_take_turns_of_one_piece() -> None:
    async def test() -> None:
        log: list[str] = []
        first = Counting(4, log=log, name="a")
        first.gate.clear()
        batcher = batcher_of()
        streams = [begun(batcher, source) for source in (first, Counting(4, log=log, name="b"))]
        first.gate.set()
        await asyncio.gather(*map(read, streams))
        assert log == ["a0", "b0", "a1", "b1", "a2", "b2", "a3", "b3"]
        await closed(batcher)

    run(test)


def test_a_batch_waits_for_one_turn_of_each_stream_at_most() -> None:
    async def test() -> None:
        log: list[str] = []

        class Pipeline(LengthPipeline):
            def run(self, graphs: Any, feeds: Any) -> Any:
                log.append("batch")
                return super().run(graphs, feeds)

        pipeline, gate = Pipeline(), Counting(30, log=log, name="a")
        gate.gate.clear()
        batcher = batcher_of(pipeline)
        streams = [begun(batcher, gate), begun(batcher, Counting(30, log=log, name="b"))]
        futures = []
        for text in ("a", "bb" * 20, "c" * 200):  # too different in length for one batch
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            batcher.submit(Work(future, [pipeline.prepare({"text": text})]))
            futures.append(future)
        gate.gate.set()
        await asyncio.gather(*futures, *map(read, streams))
        places = [place for place, entry in enumerate(log) if entry == "batch"]
        assert len(places) == 3
        assert places[-1] <= 8  # three batches, two turns between them
        between = [log[one + 1 : other] for one, other in itertools.pairwise(places)]
        assert all({entry[0] for entry in turns} == {"a", "b"} for turns in between)
        await closed(batcher)

    run(test)


def test_a_turn_that_brings_no_text_is_no_piece() -> None:
    async def test() -> None:
        log: list[str] = []

        def sparse() -> Iterator[str]:
            for piece in ("", "", "a", "", "b", ""):
                log.append("turn")
                yield piece

        gate = Counting(3, log=log, name="other")
        gate.gate.clear()
        batcher = batcher_of()
        other, stream = begun(batcher, gate), begun(batcher, sparse)
        gate.gate.set()
        await read(other)
        assert await read(stream) == ["a", "b"]
        assert stream.timings.pieces == 2
        assert log[:6] == ["other0", "turn", "other1", "turn", "other2", "turn"]
        await closed(batcher)

    run(test)


def test_more_streams_than_take_turns_wait_until_one_ends() -> None:
    async def test() -> None:
        batcher, sources = batcher_of(), [Counting(3) for _ in range(MOST_STREAMS + 2)]
        sources[0].gate.clear()
        streams = [begun(batcher, source) for source in sources]
        assert batcher.waiting == 2
        assert [source.made for source in sources[-2:]] == [0, 0]
        sources[0].gate.set()
        assert await asyncio.gather(*map(read, streams)) == [["0", "1", "2"]] * len(streams)
        assert batcher.waiting == 0
        await closed(batcher)

    run(test)


def test_a_stream_whose_reader_is_slow_is_held_back_and_goes_on_when_it_reads() -> None:
    async def test() -> None:
        batcher, source = batcher_of(), Counting(5 * AHEAD)
        stream = begun(batcher, source)
        await until(lambda: source.made >= AHEAD and stream.held_back)  # it is for a moment behind every turn
        assert source.made == AHEAD
        other = Counting(3)
        assert len(await read(begun(batcher, other))) == 3
        assert source.made == AHEAD
        assert len(await read(stream)) == 5 * AHEAD
        await closed(batcher)

    run(test)


@pytest.mark.parametrize("held_back", [False, True])
def test_a_reader_that_goes_away_ends_the_work(held_back: bool) -> None:
    async def test() -> None:
        batcher, source = batcher_of(), Counting(10**9)
        stream = begun(batcher, source)
        await stream.next()
        if held_back:
            await until(lambda: stream.held_back)
        stream.stop()
        await until(source.closed.is_set)
        made = source.made
        assert await read(begun(batcher, Counting(2))) == ["0", "1"]
        assert source.made == made
        await closed(batcher)

    run(test)


def test_one_that_goes_away_before_its_first_turn_is_never_begun() -> None:
    async def test() -> None:
        batcher, source = batcher_of(), Counting(2)
        busy = [Counting(10**9) for _ in range(MOST_STREAMS)]
        streams = [begun(batcher, each) for each in busy]
        gone = begun(batcher, source)
        await until(lambda: all(each.made for each in busy))
        gone.stop()
        assert batcher.waiting == 0
        for stream in streams:
            stream.stop()
        await until(lambda: all(each.closed.is_set() for each in busy))
        assert source.made == 0
        await closed(batcher)

    run(test)


def test_what_fails_in_the_middle_is_told_behind_the_pieces_before_it() -> None:
    async def test() -> None:
        batcher = batcher_of()
        stream = begun(batcher, Counting(5, fails_at=2))
        assert [await stream.next(), await stream.next()] == ["0", "1"]
        with pytest.raises(RuntimeError, match="fell over"):
            await stream.next()
        assert await read(begun(batcher, Counting(2))) == ["0", "1"]  # the thread lives on
        await closed(batcher)

    run(test)


def test_closing_ends_streams_and_their_iterators() -> None:
    async def test() -> None:
        batcher, source, slow = batcher_of(), Counting(10**9), Counting(10**9)
        streams = [begun(batcher, each) for each in (source, slow)]
        await until(lambda: all(stream.held_back for stream in streams))
        batcher.give_up_streams()
        await closed(batcher)
        assert source.closed.is_set()
        assert slow.closed.is_set()
        with pytest.raises(Problem, match="stopping"):
            await read(streams[0])
        with pytest.raises(Problem, match="stopping"):
            begun(batcher, Counting(1))

    run(test)


def test_streams_beyond_the_queue_are_refused() -> None:
    async def test() -> None:
        batcher, gate = batcher_of(queue_items=2), Counting(1)
        gate.gate.clear()
        streams = [begun(batcher, gate)] + [begun(batcher, Counting(1)) for _ in range(MOST_STREAMS + 1)]
        with pytest.raises(Problem) as caught:
            begun(batcher, Counting(1))
        assert (caught.value.status, caught.value.retry_after) == (429, 1)
        gate.gate.set()
        await asyncio.gather(*map(read, streams))
        await closed(batcher)

    run(test)


def test_several_compute_threads_share_the_streams() -> None:
    async def test() -> None:
        batcher = batcher_of(workers=3)
        sources = [Counting(200) for _ in range(20)]
        answers = await asyncio.gather(*(read(begun(batcher, source)) for source in sources))
        assert answers == [[str(piece) for piece in range(200)]] * 20
        await closed(batcher)

    run(test)
