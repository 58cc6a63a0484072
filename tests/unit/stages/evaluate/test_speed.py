from __future__ import annotations

import numpy as np
import pytest

from modelyard.measure.alternation import Turns
from modelyard.measure.load import Load
from modelyard.run import Run
from modelyard.stages.evaluate.speed import Speed, record_speed


def loads(latency_ms: float, cpu_ms: float, concurrency: int) -> list[Load]:
    """Six rounds of 30 answers, one round a little slower than the other."""
    return [
        Load(concurrency, np.full(30, latency_ms * (1 + turn / 100)), seconds=1.0, cpu_s=30 * cpu_ms / 1000)
        for turn in range(6)
    ]


def speed(**servers: float) -> Speed:
    """Servers by name and latency in ms; each uses that much CPU for an answer as well."""
    return Speed(
        {c: Turns({name: loads(ms, ms, c) for name, ms in servers.items()}) for c in (1, 8)},
        0.8,
        120_000_000,
        None,
        "" if "eager" in servers else "no eager model was given",
    )


def test_cuts_are_shares_of_the_eager_model_and_of_plain_float():
    run = Run()
    record_speed(speed(served=4.0, eager=20.0, float=8.0), "int8", run)
    figures = {name: figure.value for name, figure in run.figures.items()}
    assert figures["latency_cut"] == pytest.approx(0.8)
    assert figures["cost_cut"] == pytest.approx(0.8)
    assert figures["latency_cut_float"] == pytest.approx(0.5)
    assert figures["cost_cut_float"] == pytest.approx(0.5)
    assert figures["throughput_rps"] == 30.0
    assert figures["cpu_ms"] == pytest.approx(4.0)
    assert figures["memory_mb"] == 120.0
    low, high = run.figures["latency_cut"].interval or (0.0, 0.0)
    assert low == pytest.approx(0.8)
    assert high == pytest.approx(0.8)
    assert "180 requests one at a time" in run.figures["latency_p99_ms"].how


def test_without_an_eager_model_the_cuts_are_not_measured_rather_than_zero():
    run = Run()
    record_speed(speed(served=4.0, float=8.0), "int8", run)
    assert run.figures["latency_cut"].value is None
    assert run.figures["cost_cut"].how == "not measured: no eager model was given"
    assert run.details["latency"]["eager"] == {}


def test_when_plain_float_is_served_it_stands_in_both_places():
    run = Run()
    record_speed(speed(served=8.0, eager=20.0), "float", run)
    assert run.details["latency"]["float"] == run.details["latency"]["served"]
    assert run.figures["latency_cut_float"].value is None


def test_a_package_that_came_without_a_float_graph_says_so():
    run = Run()
    record_speed(speed(served=4.0), "int8", run)
    assert run.details["latency"]["float"] == {}
    assert run.figures["latency_cut_float"].how == "not measured: the package has no float graph"


def test_cpu_time_that_cannot_be_read_leaves_the_cost_unknown():
    run = Run()
    turns = {
        c: Turns({name: [Load(c, np.full(30, 4.0), 1.0, None)] * 6 for name in ("served", "eager")}) for c in (1, 8)
    }
    record_speed(Speed(turns, 0.8, None, None), "int8", run)
    assert run.figures["cost_cut"].value is None
    assert run.figures["memory_mb"].value is None
    assert run.figures["latency_cut"].value == 0.0
