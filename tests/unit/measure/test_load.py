from __future__ import annotations

import numpy as np

from modelyard.measure.load import encode_request, joined, run_load
from tests.unit.measure.slow_server import slow_server


def test_a_latency_is_the_delay_of_the_server():
    with slow_server(0.02) as (target, asked):
        load = run_load(target, ["a", "b", "c", "d", "e"], 1)
    assert asked == ["a", "b", "c", "d", "e"]
    assert load.answers == 5
    assert load.failures == ()
    assert load.latencies_ms.min() >= 20
    assert np.median(load.latencies_ms) < 45
    assert load.seconds >= 0.1


def test_connections_wait_beside_each_other_not_in_line():
    with slow_server(0.05) as (target, asked):
        load = run_load(target, [str(number) for number in range(16)], 8)
    assert sorted(asked, key=int) == [str(number) for number in range(16)]
    assert load.seconds < 16 * 0.05 / 2
    assert load.throughput_rps > 2 / 0.05


def test_every_failure_is_counted_with_its_reason_and_the_rest_is_measured():
    with slow_server(0.0) as (target, _):
        load = run_load(target, ["a", "refuse", "b", "hang up", "c"], 2)
    assert load.answers == 3
    assert len(load.failures) == 2
    assert any("request 1: status 503" in failure and "busy" in failure for failure in load.failures)
    assert any(failure.startswith("request 3:") for failure in load.failures)


def test_a_server_that_is_not_there_fails_every_request():
    with slow_server(0.0) as (target, _):
        pass
    load = run_load(target, ["a", "b", "c"], 2)
    assert load.answers == 0
    assert len(load.failures) == 3


def test_the_load_counts_the_cpu_of_the_server_process():
    with slow_server(0.001) as (target, _):
        load = run_load(target, ["text"] * 200, 4)
    assert load.cpu_s is not None
    assert 0 < load.cpu_s <= load.seconds * 4
    assert load.cpu_ms is not None


def test_texts_travel_as_utf8_with_their_length_in_bytes():
    with slow_server(0.0) as (target, asked):
        run_load(target, ["好的 “quoted” \n line"], 1)
        request = encode_request(target, ["好"])
    assert asked == ["好的 “quoted” \n line"]
    head, _, body = request.partition(b"\r\n\r\n")
    assert f"Content-Length: {len(body)}".encode() in head


def test_the_lead_in_is_sent_first_and_not_measured():
    with slow_server(0.0) as (target, asked):
        load = run_load(target, ["a", "b"], 1, lead_in=["x", "y", "z"])
    assert asked == ["x", "y", "z", "a", "b"]
    assert load.answers == 2


def test_a_failure_in_the_lead_in_is_a_failure():
    with slow_server(0.0) as (target, _):
        assert len(run_load(target, ["a", "b"], 1, lead_in=["refuse"]).failures) == 1


def test_joined_loads_add_up():
    with slow_server(0.0) as (target, _):
        first, second = run_load(target, ["a"] * 3, 1), run_load(target, ["a", "refuse"], 1)
    both = joined([first, second])
    assert both.answers == 4
    assert len(both.failures) == 1
    assert both.seconds == first.seconds + second.seconds
