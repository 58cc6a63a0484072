"""The one handler behind every door: a request against a signature, items to the queue, outputs back."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any, cast

from modelyard.errors import BadInput
from modelyard.runtimes.graph_failure import graph_failure
from modelyard.serve.alarms import Alarms
from modelyard.serve.held import HeldBytes
from modelyard.serve.problems import Problem, shortened
from modelyard.serve.repository import Endpoint, Repository
from modelyard.serve.requests import InferAnswer, InferRequest
from modelyard.serve.served_model import ServedModel
from modelyard.serve.settings import ServeSettings
from modelyard.serve.streams import Stream
from modelyard.serve.tensors import Tensor, fits_items
from modelyard.serve.work import Work
from modelyard.tasks.pipeline import Array, Prepared, Streaming, Tensors
from modelyard.tasks.tensor.datatypes import BYTES, texts
from modelyard.tasks.tensor.pipeline import fits

# Above it, tokenising leaves the event loop: other requests should not wait for one long text.
INLINE_BYTES = 16_384


class Handler:
    """Answers requests for inference, whoever parsed them."""

    def __init__(self, repository: Repository, settings: ServeSettings) -> None:
        self.repository = repository
        self.settings = settings
        self.alarms = Alarms()
        self.held = HeldBytes(settings.held_bytes)

    async def infer(self, endpoint: Endpoint, request: InferRequest, timeout_s: float | None = None) -> InferAnswer:
        """Inputs passed `check_described`. Raises Problem for what cannot be answered.

        Cancelling this takes the request out of the queue.
        """
        self._check_ready()
        model = endpoint.model
        check_inputs(endpoint, request)
        wanted = requested_outputs(endpoint, request)
        limit_s = self._limit(request, timeout_s)
        started = time.perf_counter()
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        deadline = started + limit_s
        model.telemetry.in_flight += 1
        try:
            if endpoint.tensor_level:
                work = whole_work(endpoint, request, future, deadline)
            else:
                work = Work(future, await self._prepare(model, request), deadline=deadline)
                model.telemetry.truncated += sum(prepared.truncated for prepared in work.prepared)
            work.timings.prepare = time.perf_counter() - started
            alarm = self.alarms.set(deadline - time.perf_counter(), lambda: _expire(future, limit_s))
            try:
                model.batcher.submit(work)
                await future
            except (Problem, asyncio.CancelledError):
                raise
            except Exception as error:
                if endpoint.tensor_level:
                    raise Problem(400, f"the graph does not take these tensors: {graph_failure(error)}") from error
                raise
            finally:
                self.alarms.clear(alarm)
                future.cancel()
        finally:
            model.telemetry.in_flight -= 1
        outputs = work.answer()
        items = len(work.prepared) if work.feeds is None else work.height
        chosen = {name: outputs[name] for name in wanted if name in outputs}
        if len(chosen) != len(wanted):
            raise Problem(500, f"the model did not answer {', '.join(set(wanted) - set(chosen))}")
        return InferAnswer(chosen, items, work.timings)

    @contextlib.asynccontextmanager
    async def stream(
        self, endpoint: Endpoint, request: InferRequest, timeout_s: float | None = None
    ) -> AsyncIterator[Stream]:
        """The answer to one item, piece by piece, of a model that `streams`. The work ends when the block does.

        Raises as `infer` does; the limit of time is one of the whole answer.
        """
        self._check_ready()
        model = endpoint.model
        check_inputs(endpoint, request)
        wanted = requested_outputs(endpoint, request)
        if endpoint.streamed not in wanted:
            raise Problem(400, f"a stream answers the output {endpoint.streamed}, not {', '.join(wanted)}")
        limit_s = self._limit(request, timeout_s)
        loop, started = asyncio.get_running_loop(), time.perf_counter()
        model.telemetry.in_flight += 1
        model.telemetry.streams_in_flight += 1
        try:
            prepared = await self._prepare(model, request)
            if len(prepared) != 1:
                raise Problem(400, f"a stream answers one item, not {len(prepared)}: ask for each by itself")
            model.telemetry.truncated += prepared[0].truncated
            feeds, pipeline = model.pipeline.collate(prepared), cast(Streaming, model.pipeline)
            stream = Stream(lambda: pipeline.stream(model.choice.graphs, feeds), loop)
            stream.timings.prepare = stream.arrived - started
            late = Problem(408, f"not answered within {limit_s:.3g} s")
            alarm = self.alarms.set(limit_s - stream.timings.prepare, lambda: stream.stop(late))
            try:
                model.batcher.begin(stream)
                yield stream
            finally:
                self.alarms.clear(alarm)
                stream.stop()
        finally:
            model.telemetry.in_flight -= 1
            model.telemetry.streams_in_flight -= 1

    def _check_ready(self) -> None:
        if not self.repository.ready:
            draining = self.repository.draining
            raise Problem(503, "the server is stopping" if draining else "models are still loading", retry_after=1)

    def _limit(self, request: InferRequest, timeout_s: float | None) -> float:
        """Seconds that an answer may take."""
        return min(self.settings.timeout_s, self._timeout(request) if timeout_s is None else timeout_s)

    def _timeout(self, request: InferRequest) -> float:
        """`timeout` of the request's parameters, in microseconds as Triton's clients send it."""
        given = request.parameters.get("timeout")
        if given is None:
            return self.settings.timeout_s
        try:
            microseconds = int(given)
        except (TypeError, ValueError, OverflowError):
            raise Problem(
                400, f"the parameter timeout must be a number of microseconds, not {shortened(given)}"
            ) from None
        longest = int(self.settings.timeout_s * 1e6)
        return min(microseconds, longest) / 1e6 if microseconds > 0 else self.settings.timeout_s

    async def _prepare(self, model: ServedModel, request: InferRequest) -> list[Prepared]:
        """Raw items to features. Raises Problem 422 that names the item."""
        items = raw_items(model, request)
        size = sum(len(value) for item in items for value in item.values() if isinstance(value, str | bytes))
        try:
            if size > INLINE_BYTES:
                return await asyncio.get_running_loop().run_in_executor(None, model.pipeline.prepare_batch, items)
            return [model.pipeline.prepare(item) for item in items]
        except BadInput as error:
            where = error.where if error.where and error.where.startswith("item ") else _first_bad(model, items)
            raise Problem(422, f"{where}: {error.message}") from None


def whole_work(endpoint: Endpoint, request: InferRequest, future: asyncio.Future[None], deadline: float) -> Work:
    """A request on the tensor level. Raises Problem 400 for texts that no graph can read."""
    feeds: Tensors = {}
    for name, tensor in request.inputs.items():
        feeds[name] = _texts(tensor) if tensor.datatype == BYTES else tensor.data
    if endpoint.whole and not endpoint.model.stacked:
        return Work(future, feeds=feeds, deadline=deadline)
    height = len(next(iter(feeds.values())))
    # Of equal shapes but for the first axis, requests may be run together.
    alike = tuple((name, feeds[name].shape[1:]) for name in endpoint.signature.inputs) if endpoint.whole else None
    return Work(future, feeds=feeds, deadline=deadline, height=height, alike=alike)


def _texts(tensor: Tensor) -> Array:
    try:
        return texts(tensor.data, tensor.shape)
    except ValueError as error:  # half a surrogate pair is a UnicodeEncodeError, which is one
        raise Problem(400, f"input {tensor.name}: {error}") from None


def _expire(future: asyncio.Future[None], timeout_s: float) -> None:
    if not future.done():
        future.set_exception(Problem(408, f"not answered within {timeout_s:.3g} s"))


def _first_bad(model: ServedModel, items: list[dict[str, Any]]) -> str:
    """Which item prepare refuses."""
    for place, item in enumerate(items):
        try:
            model.pipeline.prepare(item)
        except BadInput:
            return f"item {place}"
    return "an item"


def check_described(endpoint: Endpoint, name: str, datatype: str, shape: tuple[int, ...]) -> None:
    """An input by what is said of it, before its data are looked at: they may be megabytes of nonsense.

    Raises Problem 400 that names the input.
    """
    spec = endpoint.signature.inputs.get(name)
    if spec is None:
        raise Problem(400, f"{endpoint.name} has no input {name}; its inputs: {', '.join(endpoint.signature.inputs)}")
    if datatype != spec.datatype:
        raise Problem(400, f"input {name}: its datatype is {spec.datatype}, not {datatype}")
    fitting = fits(spec.shape, shape) if endpoint.tensor_level else shape and fits_items(spec.shape, shape)
    if not fitting:
        raise Problem(400, f"input {name}: its shape is {list(spec.shape)} (-1 is any size), not {list(shape)}")
    if endpoint.whole:
        return
    if shape[0] == 0:
        raise Problem(400, f"the input {name} holds no item")
    if shape[0] > endpoint.model.max_batch:
        raise Problem(400, f"{shape[0]} items in one request, the limit is {endpoint.model.max_batch}")


def check_inputs(endpoint: Endpoint, request: InferRequest) -> None:
    """That all inputs are there and hold the same items. Raises Problem 400 that names them."""
    specs = endpoint.signature.inputs
    for name in specs:
        if name not in request.inputs:
            raise Problem(400, f"the input {name} is missing")
    if endpoint.whole and not endpoint.model.stacked:
        return
    if len({tensor.shape[0] for tensor in request.inputs.values()}) != 1:
        raise Problem(400, f"the inputs {', '.join(specs)} hold different numbers of items")


def requested_outputs(endpoint: Endpoint, request: InferRequest) -> list[str]:
    """Names of the outputs to answer with. Raises Problem 400 for one that the model does not have."""
    known = endpoint.signature.outputs
    if request.outputs is None:
        return list(known)
    for name in request.outputs:
        if name not in known:
            raise Problem(400, f"{endpoint.name} has no output {name}; its outputs: {', '.join(known)}")
    return list(request.outputs)


def raw_items(model: ServedModel, request: InferRequest) -> list[dict[str, Any]]:
    """Tensors to items: {input name: str | bytes | array}. Raises Problem 422 for an item that is too large."""
    tensors = request.inputs
    count = next(iter(tensors.values())).shape[0]
    items: list[dict[str, Any]] = [{} for _ in range(count)]
    for name, tensor in tensors.items():
        for place, (item, value) in enumerate(zip(items, tensor.data, strict=True)):
            if tensor.datatype == BYTES and len(value) * 4 > model.max_item_bytes:
                size = len(value.encode()) if isinstance(value, str) else len(value)
                if size > model.max_item_bytes:
                    raise Problem(422, f"item {place}: {name} has {size} bytes, the limit is {model.max_item_bytes}")
            item[name] = value
    return items
