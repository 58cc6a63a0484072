"""A closed-loop load generator: C connections, each sends its next request when the last one is answered.

One thread over non-blocking sockets (keep-alive HTTP/1.1): it takes little time of its own, so that on a machine of two
cores the server has one to itself. A latency runs from the first byte sent to the last byte received.
"""

from __future__ import annotations

import json
import selectors
import socket
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelyard.measure.launch import HOST, Target
from modelyard.measure.processes import cpu_seconds

REQUEST_LIMIT_S = 30.0


@dataclass(frozen=True)
class Load:
    """What one load showed. latencies_ms: one an answer, in the order of the requests (failed ones left out).

    cpu_s: CPU seconds that the server process used during the load; None where that cannot be read.
    """

    concurrency: int
    latencies_ms: np.ndarray[tuple[int], np.dtype[np.float64]]
    seconds: float
    cpu_s: float | None
    failures: tuple[str, ...] = ()

    @property
    def answers(self) -> int:
        return len(self.latencies_ms)

    @property
    def throughput_rps(self) -> float:
        return self.answers / self.seconds

    @property
    def cpu_ms(self) -> float | None:
        """Server CPU milliseconds an answer."""
        return None if self.cpu_s is None or not self.answers else self.cpu_s * 1000 / self.answers


def joined(loads: Sequence[Load]) -> Load:
    """Several loads of one server as one: the seconds add up, for they did not overlap."""
    cpu = [load.cpu_s for load in loads]
    return Load(
        loads[0].concurrency,
        np.concatenate([load.latencies_ms for load in loads]),
        sum(load.seconds for load in loads),
        None if None in cpu else sum(value for value in cpu if value is not None),
        tuple(failure for load in loads for failure in load.failures),
    )


def encode_request(target: Target, items: Sequence[str | bytes]) -> bytes:
    """One V2 inference request as bytes on the wire."""
    headers, body = request_body(target.input, items)
    lines = [f"POST {target.path} HTTP/1.1", f"Host: {HOST}:{target.port}"]
    lines += [f"{name}: {value}" for name, value in {**headers, "Content-Length": str(len(body))}.items()]
    return "\r\n".join([*lines, "\r\n"]).encode() + body


def request_body(name: str, items: Sequence[str | bytes]) -> tuple[dict[str, str], bytes]:
    """Headers and body: texts as JSON, files (any item of bytes) by the binary extension, as clients send them."""
    tensor: dict[str, Any] = {"name": name, "datatype": "BYTES", "shape": [len(items)]}
    if not any(isinstance(item, bytes) for item in items):
        said = json.dumps({"inputs": [{**tensor, "data": list(items)}]}, ensure_ascii=False)
        return {"Content-Type": "application/json"}, said.encode()
    raw = [item if isinstance(item, bytes) else item.encode() for item in items]
    data = b"".join(len(item).to_bytes(4, "little") + item for item in raw)
    tensor["parameters"] = {"binary_data_size": len(data)}
    head = json.dumps({"inputs": [tensor]}).encode()
    length = {"Content-Type": "application/octet-stream", "Inference-Header-Content-Length": str(len(head))}
    return length, head + data


def _answer(data: bytes) -> tuple[int, bytes] | None:
    """Status and body of a whole HTTP/1.1 answer; None while bytes are missing. Raises ValueError."""
    head, separator, body = data.partition(b"\r\n\r\n")
    if not separator:
        return None
    lines = head.split(b"\r\n")
    length = None
    for line in lines[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            length = int(value)
    if length is None:
        raise ValueError("an answer without Content-Length")
    return (int(lines[0].split()[1]), body[:length]) if len(body) >= length else None


@dataclass
class _Connection:
    """One of the C connections, and the request that it is busy with."""

    target: Target
    socket: socket.socket | None = None
    index: int = -1
    outgoing: memoryview = field(default_factory=lambda: memoryview(b""))
    incoming: bytearray = field(default_factory=bytearray)
    started: float = 0.0

    def begin(self, index: int, request: bytes) -> None:
        if self.socket is None:
            self.socket = socket.create_connection((HOST, self.target.port), timeout=REQUEST_LIMIT_S)
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.socket.setblocking(False)
        self.index = index
        self.outgoing = memoryview(request)
        self.incoming.clear()
        self.started = time.perf_counter()
        self.send()

    def send(self) -> None:
        assert self.socket is not None
        while self.outgoing:
            try:
                self.outgoing = self.outgoing[self.socket.send(self.outgoing) :]
            except BlockingIOError:
                return

    def receive(self) -> tuple[int, bytes] | None:
        """The answer once it is whole. Raises ConnectionError or ValueError."""
        assert self.socket is not None
        try:
            piece = self.socket.recv(1 << 16)
        except BlockingIOError:
            return None
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.incoming += piece
        return _answer(bytes(self.incoming))

    def close(self) -> None:
        if self.socket is not None:
            self.socket.close()
            self.socket = None


class _Generator:
    """The C connections of one load; they stay open from one batch of requests to the next."""

    def __init__(self, target: Target, concurrency: int) -> None:
        self._connections = [_Connection(target) for _ in range(concurrency)]
        self._selector = selectors.DefaultSelector()
        self._requests: list[bytes] = []
        self._waiting: Iterator[int] = iter(())
        self.latencies_ms = np.empty(0)
        self.failures: list[str] = []

    def send(self, requests: list[bytes]) -> None:
        """Send all; returns when each is answered or has failed. Fills latencies_ms (NaN where failed), failures."""
        self._requests = requests
        self._waiting = iter(range(len(requests)))
        self.latencies_ms = np.full(len(requests), np.nan)
        for connection in self._connections:
            self._begin(connection)
        while self._selector.get_map():
            for key, mask in self._selector.select(timeout=1.0):
                self._proceed(key.data, mask)
            now = time.perf_counter()
            for key in list(self._selector.get_map().values()):
                if now - key.data.started > REQUEST_LIMIT_S:
                    self._fail(key.data, f"no answer after {REQUEST_LIMIT_S:.0f} s")

    def close(self) -> None:
        for connection in self._connections:
            connection.close()
        self._selector.close()

    def _begin(self, connection: _Connection) -> None:
        """Give the connection its next request; on failure the one after that."""
        for index in self._waiting:
            try:
                connection.begin(index, self._requests[index])
            except OSError as error:
                self.failures.append(f"request {index}: {error}")
                connection.close()
                continue
            assert connection.socket is not None
            events = selectors.EVENT_READ | (selectors.EVENT_WRITE if connection.outgoing else 0)
            self._selector.register(connection.socket, events, connection)
            return

    def _proceed(self, connection: _Connection, mask: int) -> None:
        assert connection.socket is not None
        try:
            if mask & selectors.EVENT_WRITE:
                connection.send()
                if not connection.outgoing:
                    self._selector.modify(connection.socket, selectors.EVENT_READ, connection)
            answer = connection.receive() if mask & selectors.EVENT_READ else None
        except (OSError, ValueError) as error:
            self._fail(connection, str(error))
            return
        if answer is None:
            return
        ended = time.perf_counter()
        status, body = answer
        if status != 200:
            self._fail(connection, f"status {status}: {body[:200].decode(errors='replace')}")
            return
        self.latencies_ms[connection.index] = (ended - connection.started) * 1000
        self._selector.unregister(connection.socket)
        self._begin(connection)

    def _fail(self, connection: _Connection, reason: str) -> None:
        self.failures.append(f"request {connection.index}: {reason}")
        assert connection.socket is not None
        self._selector.unregister(connection.socket)
        connection.close()
        self._begin(connection)


def run_load(
    target: Target, texts: Sequence[str | bytes], concurrency: int, lead_in: Sequence[str | bytes] = ()
) -> Load:
    """Send every text (or file) once, in order, one a request, `concurrency` at a time.

    lead_in: texts that are sent first on the same connections and not measured (caches, connections, clocks).
    A request that is refused, cut off or slower than REQUEST_LIMIT_S is a failure, counted with its reason.
    """
    generator = _Generator(target, min(concurrency, len(texts)))
    requests = [encode_request(target, [text]) for text in texts]
    try:
        generator.send([encode_request(target, [text]) for text in lead_in])
        cpu_before = cpu_seconds(target.pid)
        started = time.perf_counter()
        generator.send(requests)
        seconds = time.perf_counter() - started
        cpu_after = cpu_seconds(target.pid)
    finally:
        generator.close()
    cpu = None if cpu_before is None or cpu_after is None else cpu_after - cpu_before
    latencies = generator.latencies_ms
    return Load(concurrency, latencies[~np.isnan(latencies)], seconds, cpu, tuple(generator.failures))
