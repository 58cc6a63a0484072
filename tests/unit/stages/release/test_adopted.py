"""The report of a model that came from elsewhere."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from modelyard.stages.release import Commands
from tests.unit.stages.release.test_languages import ENGLISH_WORDS, text_of

TYPED = Commands("modelyard serve out/package", "modelyard release m --data t.csv", "modelyard release m --set ...")


def figure(value: float) -> dict[str, Any]:
    return {"value": value, "how": "", "unit": "rows"}


def from_elsewhere(evidence: Any, form: str) -> dict[str, Any]:
    """What the stages of `modelyard release MODEL` recorded."""
    contents = evidence.contents()
    for stage in ("clean", "split", "train", "annotate", *(["export"] if form == "text_onnx" else [])):
        contents.pop(stage, None)
    like = {"format": 1, "gates": [], "environment": {}}
    kind = "package" if form == "text_onnx" else "model"
    details = {"source": {"name": "sentiment", "form": form}, "kind": kind, "task": "text_classification"}
    details |= {"labels": ["negative", "positive"], "quantised": False, "opset": 17, "pipeline": {"max_length": 128}}
    contents["adopt"] = {**like, "stage": "adopt", "figures": {}, "details": details}
    sides = {"rows_train": figure(0), "rows_validation": figure(450), "rows_test": figure(1350)}
    contents["sides"] = {**like, "stage": "sides", "figures": sides, "details": {}}
    figures = contents["evaluate"]["figures"]
    nothing = {"value": None, "how": "not measured: nothing could", "unit": ""}
    figures["baseline_accuracy"] = nothing
    if kind == "package":
        figures |= {"latency_cut": nothing, "cost_cut": nothing, "eager_accuracy": nothing}
        contents["evaluate"]["details"]["latency"].pop("eager", None)
    return contents


def test_what_no_stage_could_have_measured_is_no_gap(released, evidence):
    made = released(from_elsewhere(evidence, "text_onnx"), version=1, commands=TYPED)
    shown = {one["name"]: one for one in made.json["figures"]}
    assert not shown.keys() & {
        "parity_max_abs", "learning_rate", "dropped_share", "class_imbalance", "resolved_agreement", "cycle_ratio",
        "accuracy_over_baseline", "latency_cut", "cost_cut", "graph_gain", "eager_accuracy",
    }  # fmt: skip
    assert {"accuracy", "golden_set", "accuracy_lost", "latency_p50_ms"} <= shown.keys()


def test_a_directory_is_held_against_its_model_in_pytorch(released, evidence):
    contents = from_elsewhere(evidence, "directory")
    contents["evaluate"]["figures"]["latency_cut"] = {"value": None, "how": "not measured: it did not start"}
    shown = {one["name"]: one for one in released(contents, version=1, commands=TYPED).json["figures"]}
    assert shown["parity_max_abs"]["passed"] is True
    # It could have been measured and was not: that is a gap.
    assert (shown["latency_cut"]["kind"], shown["latency_cut"]["how"]) == ("not_measured", "it did not start")


def test_a_gate_that_was_asked_for_stays_although_nothing_could_measure_it(released, evidence):
    made = released(from_elsewhere(evidence, "text_onnx"), gates={"latency_cut": 0.4}, commands=TYPED)
    assert made.figure("latency_cut")["passed"] is False
    assert made.json["released"] is False


def test_the_reader_is_told_what_is_typed_outside_a_project(released, evidence):
    made = released(from_elsewhere(evidence, "text_onnx"), version=1, commands=TYPED)
    assert made.json["next"][0] == {"text": "Serve it.", "command": "modelyard serve out/package"}
    assert made.json["alias"] is None
    assert "modelyard serve out/package" in made.card
    assert "champion" not in made.html
    refused = released(from_elsewhere(evidence, "text_onnx"), gates={"accuracy": 0.99}, commands=TYPED)
    commands = [step["command"] for step in refused.json["next"] if step["command"]]
    assert commands == [TYPED.again, TYPED.override]


@pytest.mark.parametrize("form", ["text_onnx", "directory"])
def test_where_it_came_from_is_said_in_both_languages(released, evidence, form):
    contents = from_elsewhere(evidence, form)
    contents["evaluate"]["details"]["examples_wrong"] = []
    contents["optimize"]["details"]["variants"] = []
    made = released(contents, version=1, commands=TYPED)
    assert "adopted from sentiment" in made.html and "variants chosen on 450, figures from 1,350" in made.html
    assert ("nothing says whether the export" in made.html) is (form == "text_onnx")
    chinese = unescape(text_of(made.page("zh")))
    assert "取自 sentiment" in chinese and "450 行用于挑选变体" in chinese
    shown = chinese.replace("transformers eager float32", "").replace("modelyard serve out/package", "")
    assert ENGLISH_WORDS.findall(shown.replace("nothing could", "")) == []
