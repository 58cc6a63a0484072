"""What a server tells of itself: statistics, metrics, a line of log for each request."""

from __future__ import annotations

import time

import pytest
import tritonclient.http as tritonhttp
from prometheus_client.parser import text_string_to_metric_families

from tests.packages import TEXTS
from tests.real.servers import Served
from tests.real.triton_clients import texts_for

pytestmark = pytest.mark.e2e


def test_tritonclient_reads_the_statistics(over_http: tritonhttp.InferenceServerClient) -> None:
    before = over_http.get_inference_statistics("reviews")["model_stats"][0]
    over_http.infer("reviews", [texts_for(tritonhttp, TEXTS[:3])])
    after = over_http.get_inference_statistics("reviews", "1")["model_stats"][0]
    assert after["inference_count"] - before["inference_count"] == 3
    assert after["inference_stats"]["success"]["count"] - before["inference_stats"]["success"]["count"] == 1
    latency = after["latency"]["request"]
    assert 0 < latency["p50_ms"] <= latency["p90_ms"] <= latency["p99_ms"] <= latency["max_ms"] * 1.01
    assert set(after["latency"]) == {"request", "queue", "prepare", "compute", "decode"}


def test_the_metrics_are_prometheus_text(server: Served) -> None:
    server.infer("good")
    server.infer("")
    answer = server.ask("GET", "/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(answer.body.decode())}
    totals = {
        (sample.labels["protocol"], sample.labels["status"]): sample.value
        for sample in families["modelyard_requests"].samples
        if sample.name.endswith("_total")
    }
    assert totals["http", "200"] >= 1
    assert totals["http", "422"] >= 1
    seconds = families["modelyard_request_seconds"].samples
    count = next(sample.value for sample in seconds if sample.name.endswith("_count"))
    top = next(sample for sample in seconds if sample.labels.get("le") == "+Inf")
    assert top.value == count >= 1
    assert (top.labels["model"], top.labels["version"]) == ("reviews", "1")
    assert families["modelyard_ready"].samples[0].value == 1
    assert "process_resident_memory_bytes" in families


def test_each_request_leaves_one_json_line(server: Served) -> None:
    server.ask(
        "POST",
        "/v1/models/reviews:predict",
        {"instances": ["good"]},
        {"X-Request-Id": "log-me", "X-Modelyard-User": "ann"},
    )
    until = time.monotonic() + 5
    while not (lines := [e for e in server.events() if e.get("trace.id") == "log-me"]) and time.monotonic() < until:
        time.sleep(0.02)
    (line,) = lines
    assert (line["http.request.method"], line["http.response.status_code"]) == ("POST", 200)
    assert (line["url.path"], line["user.id"]) == ("/v1/models/reviews:predict", "ann")
    assert (line["modelyard.model"], line["modelyard.version"], line["modelyard.variant"]) == ("reviews", "1", "float")
    assert 10_000 < line["event.duration"] < 10_000_000_000
