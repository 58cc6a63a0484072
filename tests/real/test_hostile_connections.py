"""Connections that a server must stand: slow, half, silent, many or broken off; others get their answers."""

from __future__ import annotations

import contextlib
import itertools
import json
import socket
import struct
import threading
import time
from pathlib import Path

import pytest

from tests.packages import TEXTS, tiny_package
from tests.real.hostile_server import MEBI, READ_S, server, unharmed
from tests.real.raw_http import INFER, Wire, ask, good, head, of_texts, posted
from tests.real.servers import Served, serving

__all__ = ["server", "unharmed"]  # fixtures

pytestmark = pytest.mark.e2e


def test_http_1_0_is_answered_and_closed(server: Served) -> None:
    with Wire(server.http) as wire:
        heard = wire.send(head("GET", "/v2", version="HTTP/1.0")).answer()
        assert (heard.status, heard.headers["connection"]) == (200, "close")
        assert wire.closed()


def test_pipelined_requests_are_answered_in_order(server: Served) -> None:
    wanted = ["positive" if place % 3 else "negative" for place in range(20)]
    requests = [posted(of_texts("good" if label == "positive" else "bad")) for label in wanted]
    with Wire(server.http) as wire:
        wire.send(b"".join(requests))
        answers = [wire.answer() for _ in requests]
    assert [json.loads(heard.body)["outputs"][0]["data"][0] for heard in answers] == wanted


def test_a_broken_request_in_a_pipeline_is_answered_in_its_turn(server: Served) -> None:
    with Wire(server.http) as wire:
        wire.send(good() + b"nonsense\r\n\r\n")
        assert wire.answer().status == 200
        heard = wire.answer()
        assert (heard.status, heard.headers["connection"]) == (400, "close")
        assert wire.closed()


def test_a_pipeline_that_is_too_long_is_refused_in_its_turn(server: Served) -> None:
    with Wire(server.http) as wire:
        wire.send(head("GET", "/v2") * 200)
        statuses = [wire.answer().status]
        while statuses[-1] == 200 and len(statuses) < 200:
            statuses.append(wire.answer().status)
    assert statuses[0] == 200
    assert statuses[-1] == 429


@pytest.mark.parametrize(
    ("data", "part"),
    [
        (b"GET /v2/hea", "the head of the request did not come in within 1.5 s"),
        (head("GET", "/v2")[:-2], "the head of the request did not come in within 1.5 s"),
        (head("POST", INFER, "content-length: 100") + b'{"inp', "the body did not come in within 1.5 s"),
        (head("POST", INFER, "transfer-encoding: chunked") + b'5\r\n{"inp\r\n', "the body did not come in within 1.5"),
    ],
    ids=["half a line", "half a head", "half a body", "half the chunks"],
)
def test_what_is_sent_by_half_is_given_up_after_a_while(server: Served, data: bytes, part: str) -> None:
    with Wire(server.http) as wire:
        started = time.monotonic()
        wire.send(data)
        assert server.infer("good").status == 200
        heard = wire.answer()
        assert (heard.status, heard.headers["connection"]) == (408, "close")
        assert part in heard.error
        assert READ_S <= time.monotonic() - started < READ_S + 4


@pytest.mark.parametrize(
    "start",
    [b"GET /v2 HTTP/1.1\r\nx: ", head("POST", INFER, "content-length: 100000"), b"\r\n"],
    ids=["head", "body", "empty lines"],
)
def test_a_byte_now_and_then_buys_no_time(server: Served, start: bytes) -> None:
    """Slow loris: thirty connections that drip, and nobody else notices."""
    drip = b"\r\n" if start == b"\r\n" else b"y"
    wires = [Wire(server.http) for _ in range(30)]
    try:
        for wire in wires:
            wire.send(start)
        started, slowest = time.monotonic(), 0.0
        while time.monotonic() - started < READ_S + 3:
            for wire in wires:
                wire.send(drip)
            asked = time.monotonic()
            assert server.infer("good").status == 200
            slowest = max(slowest, time.monotonic() - asked)
            time.sleep(0.1)
        assert slowest < 1.0
        for wire in wires:
            if drip == b"y":
                assert wire.answer().status == 408
            assert wire.closed()
    finally:
        for wire in wires:
            wire.socket.close()


def test_a_connection_that_says_nothing_is_closed(server: Served) -> None:
    with Wire(server.http) as wire:
        started = time.monotonic()
        assert wire.closed()
        assert READ_S <= time.monotonic() - started < READ_S + 4


def test_many_idle_connections_make_room_for_one_that_asks(server: Served) -> None:
    """The limit is 40: the one that has been silent longest goes."""
    wires = [Wire(server.http) for _ in range(60)]
    try:
        assert server.infer("good").status == 200
        assert wires[0].closed()
        assert wires[-1].send(good()).answer().status == 200
        assert wires[-1].send(good()).answer().status == 200
    finally:
        for wire in wires:
            wire.socket.close()


@pytest.mark.parametrize(
    ("data", "part"),
    [(b"GET /v2 HT", "head"), (head("POST", INFER, "content-length: 100") + b'{"inp', "body")],
    ids=["head", "body"],
)
def test_a_caller_that_closes_its_side_in_the_middle_is_told_so(server: Served, data: bytes, part: str) -> None:
    with Wire(server.http) as wire:
        wire.send(data).socket.shutdown(socket.SHUT_WR)
        heard = wire.answer()
        assert heard.status == 400
        assert f"in the middle of the request's {part}" in heard.error
        assert wire.closed()


def test_an_answer_before_the_body_is_read_by_a_caller_that_goes_on_sending(server: Served) -> None:
    size = 8 * MEBI
    for path, status in (("/v2/models/none/infer", 404), (INFER, 413)):
        length = size if status == 404 else 1 << 30
        with Wire(server.http) as wire:
            wire.send(head("POST", path, f"content-length: {length}"))
            for _ in range(size // MEBI):
                wire.send(b" " * MEBI)
            assert wire.answer().status == status


def test_a_caller_that_takes_no_answer_is_let_go(server: Served) -> None:
    """Asks for pages and reads none: the server gives the connection up, and its memory with it."""
    before = open_sockets(server)
    with Wire(server.http) as wire:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.socket.settimeout(0.2)
        with contextlib.suppress(TimeoutError, BrokenPipeError, ConnectionResetError):
            while True:
                wire.socket.sendall(head("GET", "/metrics"))
        assert server.infer("good").status == 200
        until = time.monotonic() + 15
        while open_sockets(server) > before:
            assert time.monotonic() < until
            time.sleep(0.1)


def open_sockets(served: Served) -> int:
    folder = Path(f"/proc/{served.process.pid}/fd")
    return sum(str(link.readlink()).startswith("socket:") for link in folder.iterdir() if link.is_symlink())


def test_an_upgrade_is_answered_as_the_plain_request(server: Served) -> None:
    lines = ("connection: upgrade", "upgrade: websocket", "sec-websocket-version: 13", "sec-websocket-key: x")
    heard = ask(server.http, head("GET", "/v2", *lines))
    assert heard.status == 200


# Together ---------------------------------------------------------------------------------------------------------


def test_callers_that_go_away_are_dropped_while_others_get_their_answers(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p", work=700, texts=TEXTS[:2])
    with serving(tmp_path, str(package.path), "--no-access-log") as served:
        stop = threading.Event()

        def rude() -> None:
            # However fast the machine is, some leave before their answer is there.
            for patience in itertools.cycle((0.0, 0.002, 0.005, 0.01)):
                if stop.is_set():
                    return
                with Wire(served.http) as wire:
                    wire.send(good())
                    time.sleep(patience)
                    if not stop.is_set():
                        # A reset rather than an orderly end.
                        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        threads = [threading.Thread(target=rude) for _ in range(4)]
        for thread in threads:
            thread.start()
        for text, label in (("good film", "positive"), ("bad film", "negative")) * 5:
            assert served.infer(text).json["outputs"][0]["data"] == [label]
        until = time.monotonic() + 20
        while 'status="499"' not in served.ask("GET", "/metrics").body.decode():
            assert time.monotonic() < until
            time.sleep(0.05)
        stop.set()
        for thread in threads:
            thread.join()
        until = time.monotonic() + 10
        while _in_flight(served):
            assert time.monotonic() < until
            time.sleep(0.05)


def _in_flight(served: Served) -> int:
    return int(served.ask("GET", "/v2/models/reviews/stats").json["model_stats"][0]["in_flight"])
