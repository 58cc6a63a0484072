"""The HTTP door: a raw ASGI application, since the model is the only thing a request should pay for."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from urllib.parse import unquote

import orjson

import modelyard
from modelyard.serve.access import AccessLog, check_token, request_id
from modelyard.serve.body import Bodies
from modelyard.serve.event_stream import send_events
from modelyard.serve.exchange import Exchange, Gone, Receive, Ring, Send
from modelyard.serve.exposition import Exposition
from modelyard.serve.generate import parse_generate, render_generated
from modelyard.serve.handler import Handler, check_described
from modelyard.serve.openapi import document
from modelyard.serve.predict import parse_instances, render_predictions
from modelyard.serve.problems import FAULT, Problem, problem_body, shortened
from modelyard.serve.repository import Endpoint
from modelyard.serve.rest_codec import parse_request, read_json, render_answer

T = TypeVar("T")

JSON = b"application/json"
EXTENSIONS = ["binary_tensor_data", "generate", "statistics", "model_repository"]
# A caller that hangs up is noticed after this long: watching from the start would cost every request a task.
WATCH_AFTER_S = 0.2


@dataclass(slots=True)
class Reply:
    body: bytes
    content_type: bytes = JSON
    status: int = 200
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)


class _Watch:
    """Rings when the caller hangs up."""

    def __init__(self, receive: Receive, ring: Ring) -> None:
        self.ring = ring
        self._receive = receive
        self._task: asyncio.Task[None] | None = None

    def start(self) -> None:
        self._task = asyncio.ensure_future(self._wait())

    async def _wait(self) -> None:
        message = await self._receive()
        if message["type"] == "http.disconnect":
            self.ring()

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task


class RestApp:
    """ASGI application over one Handler."""

    def __init__(self, handler: Handler, access: AccessLog) -> None:
        self.handler = handler
        self.repository = handler.repository
        self.settings = handler.settings
        self._access = access
        self.exposition = Exposition(self.repository)
        self._bodies = Bodies(handler)
        self._began = int(time.time())

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        given = headers.get(b"x-request-id")
        exchange = Exchange(
            scope["method"],
            scope["path"],
            _parts(scope),
            headers,
            receive,
            send,
            request_id(given.decode("latin-1") if given is not None else None),
            time.perf_counter(),
        )
        problem: Problem | None = None
        reply: Reply | None = None
        try:
            reply = await self._route(exchange)
            problem = exchange.problem
        except Problem as raised:
            problem = raised
        except Gone:
            self._count(exchange, Problem(499, "the caller hung up"))
            return
        except Exception as error:  # the last line of defence: the caller gets JSON, the log the stack
            self._access.fault(error, exchange.path, exchange.identity)
            problem = Problem(500, FAULT)
        finally:
            self.handler.held.release(exchange.held)
        if problem is not None and problem.__cause__ is not None and problem.status >= 500:
            self._access.fault(problem.__cause__, exchange.path, exchange.identity)
        if problem is not None and exchange.problem is None:
            reply = _problem_reply(problem)
        if reply is not None:
            await self._send(exchange, reply)
        self._count(exchange, problem)

    async def _send(self, exchange: Exchange, reply: Reply) -> None:
        headers = [
            (b"content-type", reply.content_type),
            (b"content-length", b"%d" % len(reply.body)),
            *reply.headers,
        ]
        await exchange.begin(reply.status, headers)
        await exchange.send_body(b"" if exchange.method == "HEAD" else reply.body, more=False)

    def _count(self, exchange: Exchange, problem: Problem | None) -> None:
        seconds = time.perf_counter() - exchange.started
        model = exchange.endpoint.model if exchange.endpoint is not None else None
        if exchange.inferring and model is not None:
            if exchange.answer is not None and problem is None and exchange.streamed:
                model.telemetry.streamed("http", seconds, exchange.answer.timings)
            elif exchange.answer is not None and problem is None:
                model.telemetry.success("http", seconds, exchange.answer.items, exchange.answer.timings)
            elif problem is not None:
                model.telemetry.failure("http", problem.status, seconds)
        user = exchange.headers.get(b"x-modelyard-user")
        self._access.answered(
            method=exchange.method,
            path=exchange.path,
            status=problem.status if problem is not None else 200,
            seconds=seconds,
            identity=exchange.identity,
            user=user.decode(errors="replace") if user else None,
            model=model,
            answer=exchange.answer if problem is None else None,
            problem=problem,
        )

    # Routing ----------------------------------------------------------------------------------------------------

    async def _route(self, exchange: Exchange) -> Reply | None:
        """None: the answer was sent already."""
        parts = exchange.parts
        if parts[:2] == ["v2", "health"] and len(parts) == 3 and parts[2] in ("live", "ready"):
            _allow(exchange, "GET", "HEAD")
            return self._health(parts[2])
        authorization = exchange.headers.get(b"authorization")
        check_token(self.settings.token, authorization.decode("latin-1") if authorization else None)
        if len(parts) >= 3 and parts[:2] == ["v2", "models"]:
            return await self._model(exchange, parts[2], parts[3:])
        if len(parts) >= 3 and parts[:2] == ["v1", "models"]:
            return await self._predict(exchange, parts[2:])
        route = _PLAIN.get("/".join(parts))
        if route is None:
            raise Problem(404, f"there is nothing at {shortened(exchange.path)}")
        methods, function = route
        _allow(exchange, *methods)
        return function(self)

    def _health(self, what: str) -> Reply:
        if what == "live" or self.repository.ready:
            return Reply(b"")
        return Reply(b'{"error":"not ready"}', status=503)

    async def _model(self, exchange: Exchange, name: str, rest: list[str]) -> Reply | None:
        """/v2/models/{name}[/versions/{version}][/ready|/infer|/generate|/generate_stream|/stats]."""
        version = ""
        if len(rest) >= 2 and rest[0] == "versions":
            version, rest = rest[1], rest[2:]
        answer = _INFERRING.get(rest[0]) if len(rest) == 1 else None
        if answer is not None:
            _allow(exchange, "POST")
            exchange.inferring = True
            exchange.endpoint = self.repository.find(name, version)
            return await answer(self, exchange, exchange.endpoint)
        _allow(exchange, "GET", "HEAD")
        if not rest and name == "stats" and name not in self.repository.models:
            return Reply(orjson.dumps({"model_stats": [model.statistics() for model in self.repository.all()]}))
        endpoint = self.repository.find(name, version)
        if rest == ["ready"]:
            return self._health("ready")
        exchange.endpoint = endpoint
        if not rest:
            return Reply(orjson.dumps(self.repository.metadata(endpoint, version)))
        if rest == ["stats"]:
            return Reply(orjson.dumps({"model_stats": [endpoint.model.statistics()]}))
        raise Problem(404, f"there is nothing at {shortened(exchange.path)}")

    async def _infer(self, exchange: Exchange, endpoint: Endpoint) -> Reply:
        body = await self._bodies.read(exchange)
        length = exchange.headers.get(b"inference-header-content-length")
        if length is not None and not (length.isdigit() and len(length) < 20):
            raise Problem(400, f"Inference-Header-Content-Length must be a number from 0, not {_shown(length)}")
        check = partial(check_described, endpoint)
        request = parse_request(body, None if length is None else int(length), check)
        answer = await self._watched(exchange, self.handler.infer(endpoint, request))
        rendered, json_length = render_answer(
            endpoint.name, endpoint.model.version, request, answer, tensor_level=endpoint.tensor_level
        )
        exchange.answer = answer
        if json_length is None:
            return Reply(rendered)
        header = (b"inference-header-content-length", b"%d" % json_length)
        return Reply(rendered, b"application/octet-stream", headers=[header])

    async def _generate(self, exchange: Exchange, endpoint: Endpoint) -> Reply:
        request = parse_generate(endpoint, read_json(await self._bodies.read(exchange)))
        answer = await self._watched(exchange, self.handler.infer(endpoint, request))
        reply = Reply(render_generated(endpoint, request, answer))
        exchange.answer = answer
        return reply

    async def _generate_stream(self, exchange: Exchange, endpoint: Endpoint) -> None:
        request = parse_generate(endpoint, read_json(await self._bodies.read(exchange)))
        await self._watched(exchange, send_events(self.handler, exchange, endpoint, request))

    async def _predict(self, exchange: Exchange, parts: list[str]) -> Reply:
        """/v1/models/{name}[/versions/{version}|/labels/{label}]:predict, the form of TensorFlow Serving."""
        last, colon, verb = parts[-1].rpartition(":")
        path = [*parts[:-1], last]
        selected = path[1] if len(path) == 3 else ""
        if not colon or verb != "predict" or len(path) not in (1, 3) or selected not in ("", "versions", "labels"):
            raise Problem(404, f"there is nothing at {shortened(exchange.path)}")
        _allow(exchange, "POST")
        exchange.inferring = True
        version, label = (path[2] if selected == "versions" else ""), (path[2] if selected == "labels" else "")
        exchange.endpoint = endpoint = self.repository.find(path[0], version, label)
        request = parse_instances(endpoint, read_json(await self._bodies.read(exchange)))
        answer = await self._watched(exchange, self.handler.infer(endpoint, request))
        reply = Reply(render_predictions(answer, tensor_level=endpoint.tensor_level))
        exchange.answer = answer
        return reply

    # Waiting ----------------------------------------------------------------------------------------------------

    async def _watched(self, exchange: Exchange, work: Awaitable[T]) -> T:
        """Wait for the work; a caller that hangs up meanwhile ends it."""
        task = asyncio.current_task()
        assert task is not None
        watch = _Watch(exchange.receive, Ring(task))
        alarm = self.handler.alarms.set(WATCH_AFTER_S, watch.start)
        try:
            return await work
        except asyncio.CancelledError:
            if not watch.ring.rang:
                raise
            task.uncancel()
            raise Gone from None
        finally:
            self.handler.alarms.clear(alarm)
            await watch.stop()

    # Plain pages ------------------------------------------------------------------------------------------------

    def _server(self) -> Reply:
        return Reply(orjson.dumps({"name": "modelyard", "version": modelyard.__version__, "extensions": EXTENSIONS}))

    def _index(self) -> Reply:
        return Reply(orjson.dumps(self.repository.index()))

    def _openai_models(self) -> Reply:
        models = [
            {"id": name, "object": "model", "created": self._began, "owned_by": "modelyard"}
            for name in self.repository.models
        ]
        return Reply(orjson.dumps({"object": "list", "data": models}))

    def _document(self) -> Reply:
        return Reply(orjson.dumps(document(self.repository, self.settings)))

    def _metrics(self) -> Reply:
        return Reply(self.exposition.render(), self.exposition.content_type.encode())


_PLAIN: dict[str, tuple[tuple[str, ...], Callable[[RestApp], Reply]]] = {
    "v2": (("GET", "HEAD"), RestApp._server),
    "v2/repository/index": (("POST", "GET"), RestApp._index),
    "v1/models": (("GET", "HEAD"), RestApp._openai_models),
    "metrics": (("GET", "HEAD"), RestApp._metrics),
    "openapi.json": (("GET", "HEAD"), RestApp._document),
}


_INFERRING: dict[str, Callable[[RestApp, Exchange, Endpoint], Awaitable[Reply | None]]] = {
    "infer": RestApp._infer,
    "generate": RestApp._generate,
    "generate_stream": RestApp._generate_stream,
}


def _allow(exchange: Exchange, *methods: str) -> None:
    if exchange.method not in methods:
        raise Problem(405, f"{exchange.method} is not answered here, use {' or '.join(methods)}", allow=methods)


def _parts(scope: Mapping[str, Any]) -> list[str]:
    """The parts of the path, each unquoted by itself: %2F is no slash."""
    raw: bytes = scope["raw_path"]
    if b"%" not in raw:
        return str(scope["path"]).strip("/").split("/")
    return [unquote(part) for part in raw.decode("ascii").strip("/").split("/")]


def _shown(header: bytes) -> str:
    return shortened(header.decode("latin-1"))


def _problem_reply(problem: Problem) -> Reply:
    headers = []
    if problem.retry_after is not None:
        headers.append((b"retry-after", b"%d" % problem.retry_after))
    if problem.allow:
        headers.append((b"allow", ", ".join(problem.allow).encode()))
    if problem.status == 401:
        headers.append((b"www-authenticate", b"Bearer"))
    if problem.status in (408, 413):
        # The rest of the body is not read.
        headers.append((b"connection", b"close"))
    return Reply(problem_body(problem), status=problem.status, headers=headers)
