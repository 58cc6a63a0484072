"""Requests in flight: a server that is asked to stop, a deadline, a caller that hangs up."""

from __future__ import annotations

import json
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import tritonclient.grpc as tritongrpc
from tritonclient.utils import InferenceServerException

from modelyard.store.artifacts import Package
from tests.packages import TEXTS, tiny_package
from tests.real.servers import Served, serving
from tests.real.triton_clients import EXPECTED, texts_for

pytestmark = pytest.mark.e2e

SLOW = 1400  # side of the matrix that makes a graph take a good part of a second


@pytest.fixture(scope="module")
def slow_package(tmp_path_factory: pytest.TempPathFactory) -> Package:
    return tiny_package(tmp_path_factory.mktemp("slow") / "p", work=SLOW, texts=TEXTS[:2])


def test_sigterm_takes_readiness_away_first_and_finishes_what_is_in_flight(
    slow_package: Package, tmp_path: Path
) -> None:
    with serving(tmp_path, str(slow_package.path)) as served, ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(served.infer, text) for text in TEXTS[:6]]
        _until_in_flight(served, 6)
        served.process.send_signal(signal.SIGTERM)
        served.event("draining")
        health = served.ask("GET", "/v2/health/ready")
        late = served.infer("good")
        assert health.status == 503
        assert served.ask("GET", "/v2/health/live").status == 200
        assert (late.status, late.headers["retry-after"]) == (503, "1")
        answers = [one.result(20) for one in waiting]
        assert [answer.status for answer in answers] == [200] * 6
        assert [answer.json["outputs"][0]["data"] for answer in answers] == [[label] for label in EXPECTED[:6]]
        assert served.process.wait(20) == 0


def _until_in_flight(served: Served, count: int) -> None:
    until = time.monotonic() + 10
    while served.ask("GET", "/v2/models/reviews/stats").json["model_stats"][0]["in_flight"] < count:
        assert time.monotonic() < until
        time.sleep(0.005)


def test_a_request_past_its_deadline_is_answered_408_and_not_computed(slow_package: Package, tmp_path: Path) -> None:
    with serving(tmp_path, str(slow_package.path)) as served, ThreadPoolExecutor(2) as pool:
        first = pool.submit(served.infer, "good")
        _until_in_flight(served, 1)
        late = served.infer("bad", parameters={"timeout": 1000})
        assert late.status == 408
        assert "not answered within 0.001 s" in late.json["error"]
        assert first.result(10).status == 200
        assert served.infer("good").status == 200
        assert served.ask("GET", "/v2/models/reviews/stats").json["model_stats"][0]["execution_count"] == 2
        client = tritongrpc.InferenceServerClient(f"127.0.0.1:{served.grpc}")
        with pytest.raises(InferenceServerException, match=r"(?i)deadline"):
            client.infer("reviews", [texts_for(tritongrpc, ("good",))], client_timeout=0.02)
        client.close()


def test_a_caller_that_hangs_up_leaves_the_queue(slow_package: Package, tmp_path: Path) -> None:
    body = json.dumps({"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"]}]}).encode()
    head = f"POST /v2/models/reviews/infer HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with serving(tmp_path, str(slow_package.path)) as served, ThreadPoolExecutor(1) as pool:
        many = pool.submit(served.infer, *(f"good film {'very ' * n}" for n in range(0, 30, 3)))
        _until_in_flight(served, 1)
        with socket.create_connection(("127.0.0.1", served.http)) as caller:
            caller.sendall(head + body)
            _until_in_flight(served, 2)
        until = time.monotonic() + 10
        while (
            "modelyard_requests_total" not in (text := served.ask("GET", "/metrics").body.decode())
            or 'status="499"' not in text
        ):
            assert time.monotonic() < until, text
            time.sleep(0.02)
        assert many.result(20).status == 200
