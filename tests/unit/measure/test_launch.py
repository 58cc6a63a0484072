from __future__ import annotations

import os
import sys

import pytest

from modelyard.errors import EnvironmentProblem
from modelyard.measure.launch import free_port, launched
from modelyard.measure.processes import cpu_seconds, resident_bytes

READY_SERVER = """
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.send_header("Content-Length", "0"); self.end_headers()
    def log_message(self, *args): pass
HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""


def runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def test_a_launched_server_is_ready_inside_and_gone_after():
    port = free_port()
    with launched([sys.executable, "-c", READY_SERVER, str(port)], port, what="the server") as (pid, start_s):
        assert runs(pid)
        assert 0 < start_s < 20
    assert not runs(pid)


def test_a_server_is_stopped_when_the_measurement_fails():
    port = free_port()
    with (
        pytest.raises(RuntimeError),
        launched([sys.executable, "-c", READY_SERVER, str(port)], port, what="the server") as (pid, _),
    ):
        raise RuntimeError
    assert not runs(pid)


def test_a_server_that_ends_early_is_reported_with_its_last_words():
    command = [sys.executable, "-c", "import sys; sys.exit('the model is missing')"]
    with pytest.raises(EnvironmentProblem) as caught, launched(command, free_port(), what="the server"):
        pass
    assert "exit status 1" in caught.value.message
    assert "the model is missing" in (caught.value.where or "")


def test_a_server_that_never_answers_is_given_up_and_stopped():
    command = [sys.executable, "-c", "import time; print('thinking', flush=True); time.sleep(60)"]
    with pytest.raises(EnvironmentProblem) as caught, launched(command, free_port(), what="the server", limit_s=1.0):
        pass
    assert "not ready after 1 s" in caught.value.message
    assert "thinking" in (caught.value.where or "")


def test_a_process_counts_its_work_and_its_memory():
    before = cpu_seconds(os.getpid())
    block = bytearray(os.urandom(1 << 20) * 30)
    total = sum(block)
    after = cpu_seconds(os.getpid())
    assert total > 0
    assert before is not None
    assert after is not None
    assert 0.05 < after - before < 30
    resident = resident_bytes(os.getpid())
    assert resident is not None
    assert resident > 30 << 20


def test_a_process_that_is_gone_is_unknown_not_zero():
    assert cpu_seconds(2**22 + 7) is None
    assert resident_bytes(2**22 + 7) is None
