"""The gRPC door: inference.GRPCInferenceService on the event loop of the HTTP door, over the same Handler."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import modelyard
from modelyard.errors import EnvironmentProblem
from modelyard.serve.access import AccessLog, check_token, request_id
from modelyard.serve.grpc_codec import (
    FINAL,
    FINAL_WANTED,
    STREAM,
    asked,
    parse_message,
    read_message,
    render_message,
    render_piece_message,
)
from modelyard.serve.handler import Handler, check_described
from modelyard.serve.problems import FAULT, GRPC_CODES, Problem
from modelyard.serve.protocol import SERVICE, messages
from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferAnswer, InferRequest
from modelyard.serve.rest import EXTENSIONS

VERSION_KEY = "x-modelyard-version"
MAX_CALLS = 4096  # beyond it RESOURCE_EXHAUSTED
_OPEN = ("ServerLive", "ServerReady")  # answered without a token


@dataclass(slots=True)
class _Call:
    """What is known of one request for the log and the counters."""

    endpoint: Endpoint | None = None
    answer: InferAnswer | None = None
    streamed: bool = False


class GrpcFront:
    """Call `start`, then `stop`."""

    def __init__(self, handler: Handler, access: AccessLog) -> None:
        self.handler = handler
        self.repository = handler.repository
        self._access = access
        self._messages = messages()
        self._server: Any = None

    async def start(self, host: str, port: int) -> int:
        """Answers the port. Raises EnvironmentProblem when it is taken."""
        import grpc
        import grpc.aio

        limit = self.handler.settings.body_bytes
        self._server = grpc.aio.server(
            maximum_concurrent_rpcs=MAX_CALLS,
            options=[
                # Without it two servers share one port in silence.
                ("grpc.so_reuseport", 0),
                ("grpc.max_receive_message_length", limit),
                ("grpc.max_send_message_length", -1),
            ],
        )
        kinds = self._messages
        handlers = {
            name: grpc.unary_unary_rpc_method_handler(
                self._guarded(name, method),
                response_serializer=kinds[f"{name}Response"].SerializeToString,
            )
            for name, method in {
                "ServerLive": self._server_live,
                "ServerReady": self._server_ready,
                "ModelReady": self._model_ready,
                "ServerMetadata": self._server_metadata,
                "ModelMetadata": self._model_metadata,
                "ModelStatistics": self._model_statistics,
                "RepositoryIndex": self._repository_index,
                "ModelInfer": self._model_infer,
            }.items()
        }
        handlers["ModelStreamInfer"] = grpc.stream_stream_rpc_method_handler(
            self._model_stream_infer,
            response_serializer=kinds["ModelStreamInferResponse"].SerializeToString,
        )
        self._server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(SERVICE, handlers),))
        address = f"[{host}]" if ":" in host else host
        try:
            bound = self._server.add_insecure_port(f"{address}:{port}")
        except RuntimeError:
            bound = 0
        if not bound:
            raise EnvironmentProblem(
                f"the gRPC port {port} of {host} cannot be opened",
                where="--grpc",
                next="give another one with --grpc PORT, any free one with --grpc 0, none with --grpc off",
            )
        await self._server.start()
        return int(bound)

    async def stop(self, grace_s: float) -> None:
        if self._server is not None:
            await self._server.stop(grace_s)

    def _guarded(
        self, name: str, method: Callable[[Any, Any], Awaitable[Any]]
    ) -> Callable[[bytes, Any], Awaitable[Any]]:
        """Token check, bytes to a message, and problems as gRPC codes."""
        token = self.handler.settings.token
        kind = self._messages[f"{name}Request"]

        held = self.handler.held

        async def call(data: bytes, context: Any) -> Any:
            size = 0
            try:
                held.hold(len(data))
                size = len(data)
                if token is not None and name not in _OPEN:
                    check_token(token, _metadata(context).get("authorization"))
                return await method(read_message(kind, data), context)
            except Problem as problem:
                await _abort(context, problem)
            finally:
                held.release(size)

        return call

    async def _server_live(self, message: Any, context: Any) -> Any:
        return self._messages["ServerLiveResponse"](live=True)

    async def _server_ready(self, message: Any, context: Any) -> Any:
        return self._messages["ServerReadyResponse"](ready=self.repository.ready)

    async def _model_ready(self, message: Any, context: Any) -> Any:
        if self.repository.loaded:
            self.repository.find(message.name, message.version)
        return self._messages["ModelReadyResponse"](ready=self.repository.ready)

    async def _server_metadata(self, message: Any, context: Any) -> Any:
        return self._messages["ServerMetadataResponse"](
            name="modelyard", version=modelyard.__version__, extensions=EXTENSIONS
        )

    async def _model_metadata(self, message: Any, context: Any) -> Any:
        endpoint = self.repository.find(message.name, message.version)
        return self._messages["ModelMetadataResponse"](**self.repository.metadata(endpoint, message.version))

    async def _model_statistics(self, message: Any, context: Any) -> Any:
        models = [self.repository.find(message.name, message.version).model] if message.name else self.repository.all()
        shown = [model.telemetry.statistics(model.name, model.version) for model in models]
        return self._messages["ModelStatisticsResponse"](model_stats=shown)

    async def _repository_index(self, message: Any, context: Any) -> Any:
        return self._messages["RepositoryIndexResponse"](models=self.repository.index())

    async def _model_infer(self, message: Any, context: Any) -> Any:
        metadata = _metadata(context)
        identity = request_id(metadata.get("x-request-id"))
        endpoint, response = await self._infer(message, identity, metadata, context.time_remaining())
        context.set_trailing_metadata(((VERSION_KEY, endpoint.model.version), ("x-request-id", identity)))
        return response

    async def _model_stream_infer(self, stream: AsyncIterator[bytes], context: Any) -> AsyncIterator[Any]:
        """The answers to each request of the stream, in order; a problem is a message of the stream."""
        metadata = _metadata(context)
        kind = self._messages["ModelStreamInferResponse"]
        try:
            check_token(self.handler.settings.token, metadata.get("authorization"))
        except Problem as problem:
            await _abort(context, problem)
        async for data in stream:
            identity = request_id(metadata.get("x-request-id"))
            try:
                message = read_message(self._messages["ModelInferRequest"], data)
                # Closed at once when the caller goes away: the work is to end with it.
                async with contextlib.aclosing(self._answers(message, identity, metadata)) as answers:
                    async for response in answers:
                        yield kind(infer_response=response)
            except Problem as problem:
                yield kind(error_message=problem.message)

    async def _answers(self, message: Any, identity: str, metadata: dict[str, str]) -> AsyncGenerator[Any, None]:
        """One answer, or, where the request asks for it and the model can, piece by piece. Raises Problem."""
        model_infer = self._messages["ModelInferResponse"]
        with self._counted("ModelStreamInfer", identity, metadata) as call:
            endpoint, request = self._read(message, call)
            pieces, final = asked(request, STREAM), asked(request, FINAL_WANTED)
            raw = bool(message.raw_input_contents)
            named = (model_infer, endpoint.name, endpoint.model.version, request)
            if not (pieces and endpoint.model.streams and not endpoint.tensor_level):
                call.answer = await self.handler.infer(endpoint, request)
                response = render_message(*named, call.answer, raw=raw)
                if final:
                    response.parameters[FINAL].bool_param = True
                yield response
                return
            call.streamed, output = True, endpoint.streamed
            async with self.handler.stream(endpoint, request) as stream:
                while (piece := await stream.next()) is not None:
                    yield render_piece_message(*named, output, piece, raw=raw)
                call.answer = InferAnswer({}, 1, stream.timings)
                if final:
                    yield render_piece_message(*named, output, None, raw=raw)

    async def _infer(
        self, message: Any, identity: str, metadata: dict[str, str], remaining_s: float | None
    ) -> tuple[Endpoint, Any]:
        """Raises Problem."""
        with self._counted("ModelInfer", identity, metadata) as call:
            endpoint, request = self._read(message, call)
            call.answer = await self.handler.infer(endpoint, request, remaining_s)
            # As in Triton, whoever sends raw bytes is answered in raw bytes; tritonclient reads nothing else.
            raw = bool(message.raw_input_contents)
            kind = self._messages["ModelInferResponse"]
            return endpoint, render_message(kind, endpoint.name, endpoint.model.version, request, call.answer, raw=raw)

    def _read(self, message: Any, call: _Call) -> tuple[Endpoint, InferRequest]:
        call.endpoint = endpoint = self.repository.find(message.model_name, message.model_version)
        return endpoint, parse_message(message, partial(check_described, endpoint))

    @contextlib.contextmanager
    def _counted(self, path: str, identity: str, metadata: dict[str, str]) -> Iterator[_Call]:
        """A request is counted and logged, whatever comes of it. Raises Problem."""
        started = time.perf_counter()
        call = _Call()
        problem: Problem | None = None
        try:
            yield call
        except (asyncio.CancelledError, GeneratorExit):
            problem = Problem(499, "the caller hung up")
            raise
        except Problem as raised:
            problem = raised
            if raised.__cause__ is not None and raised.status >= 500:
                self._access.fault(raised.__cause__, path, identity)
            raise
        except Exception as error:  # the last line of defence
            self._access.fault(error, path, identity)
            problem = Problem(500, FAULT)
            raise problem from error
        finally:
            seconds = time.perf_counter() - started
            model = call.endpoint.model if call.endpoint is not None else None
            if model is not None and problem is not None:
                model.telemetry.failure("grpc", problem.status, seconds)
            elif model is not None and call.answer is not None and call.streamed:
                model.telemetry.streamed("grpc", seconds, call.answer.timings)
            elif model is not None and call.answer is not None:
                model.telemetry.success("grpc", seconds, call.answer.items, call.answer.timings)
            self._access.answered(
                method="POST",
                path=f"/{SERVICE}/{path}",
                status=problem.status if problem is not None else 200,
                seconds=seconds,
                identity=identity,
                user=metadata.get("x-modelyard-user"),
                model=model,
                answer=call.answer if problem is None else None,
                problem=problem,
            )


def _metadata(context: Any) -> dict[str, str]:
    return {key: value for key, value in context.invocation_metadata() or () if isinstance(value, str)}


async def _abort(context: Any, problem: Problem) -> None:
    import grpc

    trailing = (("retry-after", str(problem.retry_after)),) if problem.retry_after is not None else ()
    await context.abort(grpc.StatusCode[GRPC_CODES.get(problem.status, "UNKNOWN")], problem.message, trailing)
