from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

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
    """Whether the process exists and has not ended (an ended one may wait for its new parent to notice)."""
    try:
        return "(zombie)" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def test_a_launched_server_is_ready_inside_and_gone_after():
    port = free_port()
    with launched([sys.executable, "-c", READY_SERVER, str(port)], port, what="the server") as pid:
        assert runs(pid)
    assert not runs(pid)


def test_a_server_is_stopped_when_the_measurement_fails():
    port = free_port()
    with (
        pytest.raises(RuntimeError),
        launched([sys.executable, "-c", READY_SERVER, str(port)], port, what="the server") as pid,
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


@pytest.mark.skipif(shutil.which("setpriv") is None, reason="needs setpriv (util-linux) to tie a process to its parent")
def test_a_server_ends_when_whoever_measured_was_killed():
    port = free_port()
    script = f"""
import sys, time
from modelyard.measure.launch import launched
with launched([sys.executable, "-c", {READY_SERVER!r}, "{port}"], {port}, what="the server") as pid:
    print(pid, flush=True)
    time.sleep(60)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as measuring:
        assert measuring.stdout is not None
        pid = int(measuring.stdout.readline())
        measuring.kill()
    until = time.monotonic() + 10
    while runs(pid) and time.monotonic() < until:
        time.sleep(0.02)
    assert not runs(pid)


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
