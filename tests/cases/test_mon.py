"""MON: real reports about monitoring and logs (ids as in the list of cases)."""

from __future__ import annotations

import io
import json
import logging
import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from modelyard.monitor.ecs import FIELDS
from modelyard.monitor.json_log import JsonLog, JsonLogHandler
from modelyard.monitor.quantile_sketch import QuantileSketch
from modelyard.monitor.window import SlidingQuantiles
from tests.packages import tiny_package
from tests.real.servers import serving


def test_mon_01_percentiles_of_1_to_100_ms_are_not_the_top_bucket() -> None:
    window = SlidingQuantiles()
    for milliseconds in range(1, 101):
        window.add(milliseconds / 1e3)
    shown = window.summary_ms()
    error = shown["relative_error"]
    assert error == 0.01  # stated beside the figures
    for name, low, high in (("p50_ms", 50, 51), ("p90_ms", 90, 91), ("p99_ms", 99, 100)):
        assert low * (1 - error) <= shown[name] <= high * (1 + error), name
    assert (shown["count"], shown["mean_ms"], shown["max_ms"]) == (100, 50.5, 100.0)


def test_mon_01_an_empty_window_has_no_data_and_not_zero_or_nan() -> None:
    shown = SlidingQuantiles().summary_ms()
    assert shown["count"] == 0
    assert {shown[name] for name in ("p50_ms", "p90_ms", "p99_ms", "mean_ms", "max_ms")} == {None}
    assert QuantileSketch().quantile(0.99) is None
    assert json.loads(json.dumps(shown, allow_nan=False))["p99_ms"] is None


@pytest.mark.e2e
def test_mon_01_a_server_without_traffic_says_null_and_its_counters_stay_finite(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    with serving(tmp_path, str(package.path), "--grpc", "off") as served:
        (model,) = served.ask("GET", "/v2/models/reviews/stats").json["model_stats"]
        text = served.ask("GET", "/metrics").body.decode()
    assert model["latency"]["request"]["p99_ms"] is None
    assert model["inference_stats"]["success"] == {"count": 0, "ns": 0}
    for family in text_string_to_metric_families(text):
        assert all(sample.value == sample.value for sample in family.samples), family.name


# MON-05 ----------------------------------------------------------------------------------------------------------


def lines_of(stream: io.BytesIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().split(b"\n")[:-1]]


@pytest.fixture
def shanghai(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TZ", "Asia/Shanghai")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def test_mon_05_an_exception_with_a_traceback_is_one_line() -> None:
    stream = io.BytesIO()
    log = JsonLog(stream, "modelyard")
    try:
        raise ValueError("first line\nsecond line\u2028third\u0085fourth")
    except ValueError as error:
        log.error("it\nfailed", error)
    log.event("info", "after")
    log.close()
    assert stream.getvalue().count(b"\n") == 2
    first, second = lines_of(stream)
    assert (first["message"], second["message"]) == ("it\nfailed", "after")
    stack = str(first["error.stack_trace"])
    assert "Traceback (most recent call last)" in stack
    assert 'raise ValueError("first line' in stack
    assert stack.count("\n") >= 3
    assert first["error.message"] == "first line\nsecond line\u2028third\u0085fourth"


def test_mon_05_user_once_text_and_once_an_object_keeps_one_type() -> None:
    stream = io.BytesIO()
    log = JsonLog(stream, "modelyard")
    log.event("info", "text", {"user": "ann"})
    log.event("info", "object", {"user": {"id": 7, "name": "Ann", "team": ["a", "b"]}})
    log.event("info", "number", {"user": 7})
    log.event("info", "as the library sends it", {"user.id": "ann"})
    log.close()
    text, thing, number, dotted = lines_of(stream)
    assert not any("user" in line for line in (text, thing, number, dotted))
    assert [line["user.id"] for line in (text, thing, number, dotted)] == ["ann", "7", "7", "ann"]
    assert thing["user.name"] == "Ann"
    assert thing["labels.user_team"] == '["a", "b"]'


def test_mon_05_a_library_that_logs_what_it_likes_changes_no_type() -> None:
    stream = io.BytesIO()
    log = JsonLog(stream, "modelyard")
    logger = logging.Logger("a.library")
    logger.addHandler(JsonLogHandler(log))
    for value in ("text", 7, 1.5, True, None, {"a": 1}, [1], "\ud800", 1 << 90, float("nan"), Path("/x"), object()):
        for name in ("user", "shape", "event.duration", "http", "message_", "modelyard.items", "url.path"):
            logger.warning("said", extra={name: value})
    logger.warning("half a pair \ud800", extra={"number": 1 << 70})
    log.close()
    kinds: dict[str, set[str]] = {}
    for line in lines_of(stream):
        for name, value in line.items():
            if value is not None:
                kinds.setdefault(name, set()).add({int: "number", float: "number"}.get(type(value), str(type(value))))
    assert {name: found for name, found in kinds.items() if len(found) > 1} == {}
    assert len(lines_of(stream)) == 12 * 7 + 1
    assert kinds["event.duration"] == {"number"}


def test_mon_05_times_say_their_zone(shanghai: None) -> None:
    assert datetime.now().astimezone().utcoffset() == timedelta(hours=8)
    stream = io.BytesIO()
    log = JsonLog(stream, "modelyard")
    log.event("info", "now")
    log.close()
    (line,) = lines_of(stream)
    said = str(line["@timestamp"])
    assert said.endswith("Z")
    assert abs(datetime.fromisoformat(said) - datetime.now(UTC)) < timedelta(minutes=1)


@pytest.mark.e2e
def test_mon_05_every_event_of_a_server_has_the_names_and_types_of_the_schema(tmp_path: Path) -> None:
    package = tiny_package(tmp_path / "p")
    ours = {"TZ": "Asia/Shanghai"}
    with serving(tmp_path, str(package.path), "--log-level", "debug", environment=ours) as served:
        started = datetime.now(UTC)
        for user in ("ann", '{"id": 7}', "王雷".encode().decode("latin-1")):
            served.ask("POST", "/v1/models/reviews:predict", {"instances": ["good"]}, {"X-Modelyard-User": user})
        served.infer("")
        served.ask("GET", "/nothing")
        served.ask("GET", "/v2/health/ready")
        served.ask("PUT", "/v2", headers={f"x-{n}": "y" for n in range(101)})
        assert served.stop() == 0
    events = served.events()
    lines = served.log.read_bytes().split(b"\n")[:-1]
    assert len(events) == len(lines)  # nothing but JSON, one event a line
    actions = {event.get("event.action") for event in events}
    assert {"loaded", "ready", "draining", "stopped", "request_refused"} <= actions
    for event in events:
        assert {"@timestamp", "log.level", "message", "ecs.version", "service.name"} <= event.keys()
        said = datetime.fromisoformat(event["@timestamp"])
        assert event["@timestamp"].endswith("Z")
        assert abs(said - started) < timedelta(minutes=2)
        for name, value in event.items():
            if name != "@timestamp" and value is not None:
                assert type(value) is FIELDS[name], (name, value)
    assert [event["user.id"] for event in events if "user.id" in event] == ["ann", '{"id": 7}', "王雷"]
    outcomes = {event["http.response.status_code"]: event["event.outcome"] for event in events if "url.path" in event}
    assert (outcomes[200], outcomes[404], outcomes[422]) == ("success", "failure", "failure")
    assert os.environ.get("TZ") != "Asia/Shanghai"
