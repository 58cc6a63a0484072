from __future__ import annotations

import math

import pytest

from modelyard.config import validate
from modelyard.errors import BadConfig, GateFailed
from modelyard.run import Run
from modelyard.stages.release import ReleaseConfig, hold_gates


def test_a_version_whose_gates_all_pass_is_released(released):
    made = released()
    assert made.json["released"] is True
    assert made.json["verdict"] == (
        "Released: 0.852 accuracy, 4.1 ms P50, 3.9x smaller than the float model; all 4 gates passed."
    )
    run = Run(made.run.store)
    hold_gates(made.report, run)
    assert [gate.name for gate in run.gates] == ["parity_max_abs", "parity_accuracy", "accuracy_lost", "dropped_share"]


def test_a_failed_gate_keeps_the_version_back_and_says_which_and_by_how_much(released):
    made = released(gates={"accuracy": 0.87, "p99_ms": 200})
    assert made.json["released"] is False
    assert made.json["verdict"] == "Not released: Accuracy is 0.852, the bar is at least 0.87; 1 of 6 gates failed."
    with pytest.raises(GateFailed) as failed:
        hold_gates(made.report, made.run)
    assert (failed.value.name, failed.value.value, failed.value.bar) == ("accuracy", 0.852, 0.87)
    assert "release.override" in failed.value.next


def test_an_override_releases_with_its_reason_on_record(released):
    made = released(gates={"accuracy": 0.87}, override="the pilot needs it")
    assert made.json["released"] is True
    assert made.json["verdict"] == (
        "Released by override: 0.852 accuracy, 4.1 ms P50, 3.9x smaller than the float model; 1 of 5 gates failed "
        "(Accuracy is 0.852, the bar is at least 0.87). Reason given: the pilot needs it"
    )
    run = Run(made.run.store)
    hold_gates(made.report, run)
    assert run.details["override"] == {"reason": "the pilot needs it", "gates": ["accuracy"]}
    assert made.report.info["details"]["override"] == run.details["override"]


def test_an_override_given_to_hold_gates_counts_too(released):
    made = released(gates={"accuracy": 0.87})
    run = Run(made.run.store)
    hold_gates(made.report, run, override="shown to a customer only")
    assert run.details["override"]["reason"] == "shown to a customer only"


def test_a_gate_that_the_user_asked_for_and_nobody_measured_fails(released, evidence):
    contents = evidence.contents()
    del contents["evaluate"]
    made = released(contents, gates={"accuracy": 0.8})
    assert made.json["verdict"] == (
        "Not released: Accuracy was not measured, the bar is at least 0.8; 1 of 5 gates failed."
    )
    assert made.figure("accuracy")["kind"] == "not_measured"
    with pytest.raises(GateFailed) as failed:
        hold_gates(made.report, made.run)
    assert math.isnan(failed.value.value)


def test_a_gate_that_a_stage_failed_and_that_no_rule_knows_keeps_the_version_back(released, evidence):
    contents = evidence.contents()
    contents["split"]["gates"].append(evidence.gate("shared_groups", 3.0, 0.0, passed=False))
    made = released(contents)
    assert made.json["verdict"].startswith("Not released: Shared groups is 3.0, the bar is at most 0;")
    assert made.figure("shared_groups") == {
        "row": "R2", "name": "shared_groups", "value": 3.0, "interval": None, "bar": 0.0, "comparison": "at_most",
        "unit": "number", "how": "recorded by split", "kind": "gate", "passed": False,
    }  # fmt: skip


def test_a_figure_that_misses_its_advice_does_not_keep_the_version_back(released):
    made = released()
    assert made.figure("cost_cut")["passed"] is False
    assert made.json["released"] is True
    assert "missed: Cost cut against eager" in made.json["advice"]


def test_a_gate_exactly_on_its_bar_passes(released):
    assert released(gates={"accuracy": 0.852}).json["released"] is True


def test_nothing_measured_is_said_and_not_praised(released):
    made = released({})
    assert made.json["verdict"] == "Released: nothing was measured; no gate was measured."
    assert all(figure["value"] is None for figure in made.json["figures"])


@pytest.mark.parametrize(
    ("gates", "message"),
    [
        ({"acuracy": 0.8}, "did you mean accuracy?"),
        ({"learning_rate": 0.1}, "no figure learning_rate that could be a gate"),
        ({"p99_ms": 100, "latency_p99_ms": 200}, "given two bars"),
    ],
)
def test_a_gate_on_what_is_no_figure_is_refused_with_the_nearest_name(gates, message):
    with pytest.raises(BadConfig) as refused:
        validate(ReleaseConfig, {"gates": gates}, "modelyard.yaml")
    assert message in refused.value.message
    assert "gates" in refused.value.where


def test_an_override_without_a_reason_is_refused():
    with pytest.raises(BadConfig):
        validate(ReleaseConfig, {"override": "  "}, "modelyard.yaml")
