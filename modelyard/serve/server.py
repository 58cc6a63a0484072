"""One process: both doors on one event loop, compute threads beside it; comes up alive, then ready, and drains."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast

from modelyard.errors import BadInput, EnvironmentProblem, ModelyardError
from modelyard.monitor.json_log import LEVELS, JsonLog, JsonLogHandler
from modelyard.serve.access import AccessLog
from modelyard.serve.handler import Handler
from modelyard.serve.repository import Repository
from modelyard.serve.resolve import resolve
from modelyard.serve.rest import RestApp
from modelyard.serve.served_model import open_model
from modelyard.serve.settings import ServeSettings

# A compute thread that comes back from the graph waits for the interpreter at most this long (default 5 ms).
SWITCH_INTERVAL_S = 0.0005
KEEP_ALIVE_S = 75
SPARE_FILES = 128  # for models, gRPC, logs
MOST_FILES = 65_536


@dataclass(frozen=True)
class Ready:
    """What is told when the first request can be answered."""

    host: str
    http_port: int
    grpc_port: int | None
    models: list[dict[str, str]]

    def fields(self) -> dict[str, Any]:
        return {
            "event.action": "ready",
            "server.address": self.host,
            "modelyard.http.port": self.http_port,
            "modelyard.grpc.port": self.grpc_port,
            "modelyard.models": self.models,
        }


def _bind(host: str, port: int) -> socket.socket:
    """A listening socket. Raises EnvironmentProblem when the port is taken."""
    try:
        family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
            listener.listen(2048)
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        return listener
    except OSError as error:
        raise EnvironmentProblem(
            f"the HTTP port {port} of {host} cannot be opened: {error.strerror or error}",
            where="--http",
            next="give another one with --http PORT, or any free one with --http 0",
        ) from None


def _http_server(app: RestApp, settings: ServeSettings, access: AccessLog) -> Any:
    import uvicorn

    from modelyard.serve.connection import Connection, Doorkeeper, Limits

    limits = Limits(settings.read_timeout_s, KEEP_ALIVE_S, min(settings.connections, _open_files() - SPARE_FILES))
    keeper = Doorkeeper(limits, access.refused)

    class Server(uvicorn.Server):
        @contextlib.contextmanager
        def capture_signals(self) -> Iterator[None]:
            """Signals are ours: readiness goes first."""
            yield

    config = uvicorn.Config(
        app,
        loop="none",
        http=cast("type[asyncio.Protocol]", partial(Connection, keeper=keeper)),
        ws="none",
        lifespan="off",
        interface="asgi3",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=2,
    )
    return Server(config)


def _open_files() -> int:
    """How many files this process may have open: raised as far as the system lets it."""
    if sys.platform == "win32":
        return 8192
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):
        wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
        if soft < wanted:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            soft = wanted
    return soft


class Server:
    """Run once with `await server.run()`."""

    def __init__(self, settings: ServeSettings, log: JsonLog, on_ready: Callable[[Ready], None]) -> None:
        self.settings = settings
        self.repository = Repository()
        self._log = log
        self._on_ready = on_ready
        self._stop = asyncio.Event()
        self._stop_now = asyncio.Event()

    async def run(self) -> None:
        """Until SIGTERM or SIGINT. Raises ModelyardError when the server cannot come up."""
        settings, loop = self.settings, asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._asked_to_stop)
        access = AccessLog(self._log, settings.access_log)
        handler = Handler(self.repository, settings)
        listener = _bind(settings.host, settings.http_port)
        http_port = int(listener.getsockname()[1])
        app = RestApp(handler, access)
        http = _http_server(app, settings, access)
        serving = asyncio.create_task(http.serve(sockets=[listener]))
        front: Any = None
        try:
            loading = asyncio.create_task(asyncio.to_thread(self._load, loop))
            grpc_port = None
            if settings.grpc_port is not None:
                front = await asyncio.to_thread(_grpc_front, handler, access)
                grpc_port = await front.start(settings.host, settings.grpc_port)
            await loading
            # What is loaded stays: the collector need not look at it again.
            gc.collect()
            gc.freeze()
            self.repository.loaded = True
            ready = Ready(settings.host, http_port, grpc_port, self._served())
            self._log.event("info", "ready", ready.fields())
            self._on_ready(ready)
            # So that the first scrape does not hold the event loop up while a library loads.
            await asyncio.to_thread(app.exposition.open)
            await self._stop.wait()
            await self._drain()
        finally:
            self.repository.draining = True
            if front is not None:
                await front.stop(1.0)
            http.should_exit = True
            await serving
            for model in self.repository.all():
                await asyncio.to_thread(model.batcher.close)

    def _served(self) -> list[dict[str, str]]:
        return [
            {"name": model.name, "version": model.version, "variant": model.variant, "package": model.digest}
            for model in self.repository.all()
        ]

    def _load(self, loop: asyncio.AbstractEventLoop) -> None:
        """Every target: resolve, choose a variant by its golden set, start its threads."""
        for given in self.settings.targets:
            started = time.perf_counter()
            target = resolve(given, self.settings.workspace)
            if target.version in self.repository.models.get(target.name, {}):
                raise BadInput(
                    f"{target.name}:{target.version} would be served twice",
                    where=given,
                    next="give it once; a plain directory is served as version 1 of the name in its package.json",
                )
            _hold(target.package.path)
            if not target.intact:
                self._log.event(
                    "warning", f"the files of {given} do not match their digest: the golden set decides", {}
                )
            model = open_model(target, self.settings, loop)
            for variant, reason in model.choice.passed_over:
                self._log.event(
                    "warning",
                    f"variant {variant} of {model.name} is passed over: {reason}",
                    {"event.action": "variant_passed_over", "modelyard.variant": variant},
                )
            self.repository.add(model)
            replay = model.choice.replay
            self._log.event(
                "info",
                f"{model.name}:{model.version} loaded, variant {model.variant}",
                {
                    "event.action": "loaded",
                    "event.duration": int((time.perf_counter() - started) * 1e9),
                    "modelyard.golden.checked": replay.checked,
                    "modelyard.golden.max_abs": replay.max_abs,
                    "modelyard.golden.agreement": replay.agreement,
                },
            )

    def _asked_to_stop(self) -> None:
        """The first signal drains, the second stops at once."""
        if self._stop.is_set():
            self._stop_now.set()
        self._stop.set()

    async def _drain(self) -> None:
        """Not ready any more, then wait for what is in flight."""
        self.repository.draining = True
        self._log.event("info", "draining", {"event.action": "draining", "modelyard.in_flight": self._in_flight()})
        until = time.monotonic() + self.settings.drain_s
        while self._in_flight() and time.monotonic() < until and not self._stop_now.is_set():
            await asyncio.sleep(0.02)
        for model in self.repository.all():
            model.batcher.give_up_streams()
        left = self._in_flight()
        if left:
            self._log.event("warning", f"{left} requests are given up", {"event.action": "given_up"})

    def _in_flight(self) -> int:
        return sum(model.telemetry.in_flight for model in self.repository.all())


def _hold(package: Path) -> None:
    """Until this process ends, so that `modelyard gc` does not free what is served."""
    if sys.platform != "win32":
        from modelyard.store.atomic import hold

        hold(package)


def _grpc_front(handler: Handler, access: AccessLog) -> Any:
    """Importing gRPC takes 0.1 s: in a thread, while the model loads."""
    import grpc.aio  # noqa: F401

    from modelyard.serve.grpc_front import GrpcFront

    return GrpcFront(handler, access)


def serve(settings: ServeSettings, on_ready: Callable[[Ready], None] = lambda ready: None) -> None:
    """Serve until a signal. Raises ModelyardError when the server cannot come up."""
    log = JsonLog(sys.stderr.buffer, "modelyard", settings.log_level)
    root = logging.getLogger()
    root.handlers = [JsonLogHandler(log)]
    root.setLevel(max(logging.WARNING, LEVELS[settings.log_level]))
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    try:
        with asyncio.Runner(loop_factory=_loop_factory()) as runner:
            runner.run(_run(settings, log, on_ready))
    except ModelyardError as error:
        fields = {"event.action": "refused", "error.type": error.kind, "error.message": error.message}
        log.event("error", "not served", fields)
        raise
    finally:
        log.event("info", "stopped", {"event.action": "stopped"})
        log.close()


async def _run(settings: ServeSettings, log: JsonLog, on_ready: Callable[[Ready], None]) -> None:
    await Server(settings, log, on_ready).run()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    factory: Callable[[], asyncio.AbstractEventLoop] = uvloop.new_event_loop
    return factory
