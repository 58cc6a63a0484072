from __future__ import annotations

import numpy as np
import pytest

from modelyard.errors import EnvironmentProblem
from modelyard.measure.alternation import alternate, shuffled
from tests.unit.measure.slow_server import slow_server


def test_the_slower_server_shows_as_slower_by_the_known_ratio():
    with slow_server(0.002) as (fast, _), slow_server(0.008) as (slow, _):
        turns = alternate({"fast": fast, "slow": slow}, ["a", "b", "c"], 1, requests=60, seconds=20)
    ratio = turns.speedup("fast", "slow")
    assert ratio.interval[0] > 1.5
    assert ratio.interval[0] <= ratio.value <= ratio.interval[1]
    assert ratio.value < 4.5
    pooled = turns.pooled_speedup("fast", "slow")
    p50 = {name: float(np.median(turns.load(name).latencies_ms)) for name in ("fast", "slow")}
    assert pooled.value == pytest.approx(p50["slow"] / p50["fast"])
    assert 1.5 < pooled.interval[0] <= pooled.value <= pooled.interval[1]
    assert turns.load("fast").answers == 60
    assert len(turns.rounds["fast"]) == len(turns.rounds["slow"]) == 6


def test_both_servers_get_the_same_texts_in_the_same_order_in_turns():
    with slow_server(0.0) as (first, asked_first), slow_server(0.0) as (second, asked_second):
        alternate({"first": first, "second": second}, [str(n) for n in range(100)], 1, requests=40, seconds=20)
    assert asked_first == asked_second


def test_the_time_is_bounded_even_when_the_server_is_slow():
    with slow_server(0.05) as (target, _):
        turns = alternate({"slow": target}, ["a"], 1, requests=1000, seconds=1.0)
    assert turns.load("slow").seconds < 3.0
    assert turns.load("slow").answers < 1000


def test_a_failed_request_stops_the_measurement_with_its_reason():
    with slow_server(0.0) as (target, _), pytest.raises(EnvironmentProblem) as caught:
        alternate({"slow": target}, ["a", "refuse"], 1, requests=40, seconds=20)
    assert "failed at concurrency 1" in caught.value.message
    assert "503" in (caught.value.where or "")


def test_texts_come_in_a_seeded_order_and_round_again():
    texts = [str(n) for n in range(10)]
    order = shuffled(texts, 25, seed=3)
    assert order == shuffled(texts, 25, seed=3)
    assert sorted(order[:10]) == sorted(texts)
    assert order[10:20] == order[:10]
