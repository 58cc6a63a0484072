from __future__ import annotations

from modelyard.stages.optimize.verdicts import Measured, in_order, judge_lost, judge_speed

ACCURACY = {"name": "accuracy", "share": True}
SPEARMAN = {"name": "spearman", "share": False}


def lost(value: float, low: float, high: float, max_abs: float = 0.2) -> Measured:
    return Measured("int8", lost=value, lost_interval=(low, high), max_abs=max_abs)


def fast(value: float, low: float, high: float, name: str = "int8") -> Measured:
    return Measured(name, speedup=value, speedup_interval=(low, high))


def test_a_loss_whose_whole_interval_lies_beyond_one_point_is_dropped_as_proven():
    verdict = judge_lost(lost(0.03, 0.012, 0.048), 0.01, ACCURACY)
    assert not verdict.kept
    assert verdict.reason == (
        "dropped: 3.0 points of accuracy lost on validation (95 %: 1.2 to 4.8), all of it beyond 1.0"
    )


def test_a_loss_that_is_likelier_beyond_than_not_is_dropped_and_says_that_it_is_not_proven():
    verdict = judge_lost(lost(0.012, -0.002, 0.026), 0.01, ACCURACY)
    assert not verdict.kept
    assert "more likely than not beyond 1.0" in verdict.reason


def test_a_loss_within_the_bar_stays_with_a_warning_when_the_interval_passes_it():
    verdict = judge_lost(lost(0.004, -0.008, 0.016), 0.01, ACCURACY)
    assert verdict.kept
    assert "too few validation rows" in verdict.warning


def test_a_loss_within_the_bar_for_certain_stays_without_a_warning():
    verdict = judge_lost(lost(0.001, -0.003, 0.005), 0.01, ACCURACY)
    assert (verdict.kept, verdict.warning) == (True, "")


def test_the_same_outputs_need_no_warning_however_few_the_rows():
    assert judge_lost(lost(0.0, -0.03, 0.03, max_abs=2e-6), 0.01, ACCURACY).warning == ""


def test_a_better_variant_is_no_loss():
    assert judge_lost(lost(-0.02, -0.04, -0.001), 0.01, ACCURACY).kept


def test_what_could_not_be_made_is_dropped_with_its_reason():
    verdict = judge_lost(Measured("fused", broken="dropped: no pattern of the graph can be fused"), 0.01, ACCURACY)
    assert not verdict.kept
    assert verdict.reason == "dropped: no pattern of the graph can be fused"


def test_a_variant_is_faster_only_when_its_whole_interval_lies_above_one():
    assert judge_speed(fast(1.08, 1.02, 1.15), "float").kept
    slower = judge_speed(fast(1.05, 0.98, 1.12), "float")
    assert not slower.kept
    assert slower.reason == (
        "dropped: not really faster: 1.05 times as fast as float at one request at a time (95 %: 0.98 to 1.12)"
    )


def test_the_fastest_stands_first():
    kept = [fast(1.1, 1.0, 1.2, "fused"), fast(2.0, 1.8, 2.2, "int8")]
    assert [measured.name for measured in in_order(kept)] == ["int8", "fused"]


def test_a_metric_that_is_no_share_is_said_in_its_own_unit():
    verdict = judge_lost(lost(0.0031, -0.001, 0.0123), 0.01, SPEARMAN)
    assert verdict.kept
    assert verdict.reason == "0.0031 of spearman lost on validation (95 %: -0.0010 to 0.0123)"
    assert verdict.warning.endswith("too few validation rows to exclude a loss of more than 0.0100")
    assert "all of it beyond 0.0100" in judge_lost(lost(0.03, 0.02, 0.04), 0.01, SPEARMAN).reason


def test_speed_is_told_against_the_reference_by_its_name():
    assert "1.50 times as fast as int8 at one" in judge_speed(fast(1.5, 1.4, 1.6, "fused"), "int8").reason
