from __future__ import annotations

import io
import json
import logging
import re
from datetime import UTC, datetime

import pytest

from modelyard.monitor import json_log
from modelyard.monitor.histogram import Histogram
from modelyard.monitor.json_log import JsonLog, JsonLogHandler, timestamp


def lines_of(stream: io.BytesIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_each_event_is_one_line_with_ecs_names() -> None:
    stream = io.BytesIO()
    log = JsonLog(stream, "modelyard")
    log.event("info", "two\nlines", {"event.duration": 12, "url.path": "/v2"})
    log.event("debug", "too fine for the level")
    log.close()
    (line,) = lines_of(stream)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", str(line.pop("@timestamp")))
    assert line == {
        "log.level": "info",
        "message": "two\nlines",
        "ecs.version": "8.11.0",
        "service.name": "modelyard",
        "event.duration": 12,
        "url.path": "/v2",
    }


def test_an_exception_keeps_its_type_and_stack() -> None:
    stream = io.BytesIO()
    log = JsonLog(stream, "modelyard")
    logger = logging.Logger("a.library")
    logger.addHandler(JsonLogHandler(log))
    try:
        raise ValueError("broken")
    except ValueError:
        logger.exception("it failed")
    log.close()
    (line,) = lines_of(stream)
    assert (line["error.type"], line["error.message"], line["log.level"]) == ("ValueError", "broken", "error")
    assert line["log.logger"] == "a.library"
    assert 'raise ValueError("broken")' in str(line["error.stack_trace"])


def test_a_reader_that_is_too_slow_loses_lines_and_is_told_how_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_log, "QUEUE", 3)
    monkeypatch.setattr(json_log, "FLUSH_S", 0.3)
    stream = io.BytesIO()
    log = JsonLog(stream, "modelyard")
    for number in range(50):
        log.event("info", str(number))
    log.close()
    messages = [str(line["message"]) for line in lines_of(stream)]
    dropped = [int(message.split()[0]) for message in messages if "dropped" in message]
    assert sum(dropped) + sum(message.isdecimal() for message in messages) == 50
    assert sum(dropped) > 0


def test_a_timestamp_is_utc_with_milliseconds() -> None:
    moment = datetime(2026, 11, 25, 2, 3, 4, 56_789, tzinfo=UTC)
    assert timestamp(moment.timestamp()) == "2026-11-25T02:03:04.056Z"


def test_a_histogram_counts_up_to_and_with_its_bounds() -> None:
    histogram = Histogram((0.01, 0.1))
    for value in (0.005, 0.01, 0.05, 3.0):
        histogram.add(value)
    assert histogram.cumulative() == [("0.01", 2.0), ("0.1", 3.0), ("+Inf", 4.0)]
    assert histogram.total == pytest.approx(3.065)
