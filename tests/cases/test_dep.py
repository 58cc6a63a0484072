"""DEP: real reports about deploying (ids as in the list of cases)."""

from __future__ import annotations

import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.packages import TEXTS, tiny_package
from tests.real.servers import Served, serving

pytestmark = pytest.mark.e2e


def in_flight(served: Served) -> int:
    return int(served.ask("GET", "/v2/models/reviews/stats").json["model_stats"][0]["in_flight"])


def test_dep_03_on_sigterm_readiness_goes_first_eight_answers_arrive_and_the_exit_code_is_0(tmp_path: Path) -> None:
    # Long enough that the eight are still being answered when the signal comes.
    package = tiny_package(tmp_path / "p", work=1400, texts=TEXTS[:2])
    expected = ["positive", "positive", "negative", "negative", "positive", "negative", "positive", "negative"]
    with serving(tmp_path, str(package.path)) as served, ThreadPoolExecutor(8) as pool:
        waiting = [pool.submit(served.infer, text) for text in TEXTS[:8]]
        until = time.monotonic() + 10
        while in_flight(served) < 8:
            assert time.monotonic() < until
            time.sleep(0.005)
        served.process.send_signal(signal.SIGTERM)
        draining = served.event("draining")
        ready = served.ask("GET", "/v2/health/ready")
        still = sum(not one.done() for one in waiting)
        assert ready.status == 503
        assert still > 0  # readiness went while requests were being answered, not after
        assert draining["modelyard.in_flight"] == 8
        answers = [one.result(30) for one in waiting]
        assert [answer.status for answer in answers] == [200] * 8
        assert [answer.json["outputs"][0]["data"] for answer in answers] == [[label] for label in expected]
        assert served.process.wait(20) == 0
    assert [event.get("event.action") for event in served.events()][-1] == "stopped"
