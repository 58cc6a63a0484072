"""A package that is judged by another metric than accuracy: its figures take accuracy's places, and no other stands
there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from modelyard.config import validate
from modelyard.stages.release import ReleaseConfig
from tests.unit.stages.release.test_report import Document

PAIRS = ["move due to the pull of gravitation", "move so as to change position"]


def text_of(html: str) -> str:
    return "".join(Document(html).text)


def embedding(evidence: Any, reference: str = "float") -> dict[str, dict[str, Any]]:
    """What the stages write of an embedding model that was adopted: the same figures under the metric's names."""
    given = evidence.contents()
    told = json.dumps({stage: given[stage] for stage in ("export", "optimize", "evaluate")})
    for ours in ("accuracy_lost", "parity_accuracy", "graph_accuracy", "model_accuracy", "eager_accuracy"):
        told = told.replace(ours, ours.replace("accuracy", "spearman"))
    told = told.replace('"accuracy"', '"spearman"').replace("Agresti and Min", "paired bootstrap")
    told = told.replace("accuracy of the", "spearman of the").replace("logits", "sentence_embedding")
    told = told.replace("point of accuracy", "the bar")
    contents = json.loads(told)
    for stage in contents.values():
        stage["details"]["metric"] = {"name": "spearman", "share": False}
    contents["optimize"]["details"]["reference"] = reference
    evaluate = contents["evaluate"]
    for name in ("macro_f1", "ece", "baseline_accuracy", "baseline_spearman"):
        evaluate["figures"].pop(name, None)
    for name in ("per_class", "confusion", "calibration", "examples_wrong", "majority_accuracy"):
        evaluate["details"].pop(name, None)
    evaluate["details"]["levels"] = [
        {"low": low, "high": low, "rows": 200, "median": median, "p10": median - 0.1, "p90": median + 0.2}
        for low, median in ((0.0, 0.04), (0.6, 0.31), (1.0, 0.42))
    ]
    evaluate["details"]["examples_apart"] = [
        {"row_id": "ab" * 16, "texts": PAIRS, "wanted": 1.0, "answered": 0.031, "apart": 0.91, "line": 77}
    ]
    return contents


def test_the_figures_have_the_metrics_names_and_none_of_accuracys_stands_beside_them(released, evidence):
    made = released(embedding(evidence))
    names = [figure["name"] for figure in made.json["figures"]]
    assert {"spearman", "spearman_lost", "parity_spearman", "eager_spearman"} <= set(names)
    absent = {"accuracy", "accuracy_lost", "parity_accuracy", "accuracy_over_baseline", "macro_f1", "ece"}
    assert absent | {"class_imbalance"} & set(names) == absent
    assert made.figure("spearman_lost") | {"how": ""} == {
        "row": "R15", "name": "spearman_lost", "value": 0.0017, "interval": [-0.0043, 0.0077], "bar": 0.01,
        "comparison": "at_most", "unit": "share", "how": "", "kind": "gate", "passed": True,
    }  # fmt: skip
    assert made.json["verdict"].startswith("Released: 0.852 Spearman correlation; ".replace(";", ","))


def test_neither_page_speaks_of_accuracy_or_labels(released, evidence):
    made = released(embedding(evidence))
    english, chinese = text_of(made.html), text_of(made.page("zh"))
    for word in ("ccuracy", "logits", "Macro F1", "Calibration", "Class imbalance"):
        assert word not in english, english[max(0, english.find(word) - 80) :][:160]
    for word in ("准确率", "宏平均", "校准", "类别不均衡"):
        assert word not in chinese, chinese[max(0, chinese.find(word) - 40) :][:80]
    assert "Spearman correlation 0.852 (0.823-0.880) on 598 test rows" in english
    assert "598 行测试数据，Spearman 相关系数 0.852" in chinese
    assert "与浮点图逐行配对，区间按配对自助法" in chinese


def test_the_quality_of_numbers_is_shown_by_levels_and_by_the_rows_that_are_furthest_apart(released, evidence):
    made = released(embedding(evidence))
    text = text_of(made.html)
    assert "Where 1 was wanted the middle answer is 0.420, where 0 was wanted 0.040" in text
    assert " | ".join(PAIRS) in text and "77" in text
    rows = (made.report.path / "data" / "levels.csv").read_text().splitlines()
    assert rows[0] == "low,high,rows,median,p10,p90" and len(rows) == 4
    assert "spearman" in (made.report.path / "data" / "slices.csv").read_text().splitlines()[0]


@pytest.mark.parametrize("name", ["spearman", "metric"])
def test_a_gate_on_the_metric_is_asked_for_by_its_name_or_as_the_metric(released, evidence, name):
    made = released(embedding(evidence), gates={name: 0.9})
    assert made.json["released"] is False
    assert made.figure("spearman")["bar"] == 0.9
    assert made.json["verdict"].startswith("Not released: Spearman correlation is 0.852, the bar is at least 0.9")
    assert released(embedding(evidence), gates={name: 0.8}).json["released"] is True


def test_a_gate_on_a_metric_that_the_task_does_not_have_fails(released, evidence):
    made = released(embedding(evidence), gates={"accuracy": 0.8})
    assert made.json["verdict"].startswith("Not released: Accuracy was not measured")


def test_a_users_own_metric_goes_by_its_own_name(released, evidence):
    told = json.dumps(embedding(evidence)).replace("spearman", "within_half_a_star").replace("false", "true")
    contents = json.loads(told)
    made = released(contents, gates={"metric": 0.8})
    assert made.json["released"] is True
    assert made.figure("within_half_a_star_lost")["unit"] == "points"
    assert "within_half_a_star 0.852" in text_of(made.html)
    assert validate(ReleaseConfig, {"gates": {"metric_lost": 0.02}}, "x").gates == {"metric_lost": 0.02}


def test_the_epochs_of_a_users_own_task_have_its_own_columns(released, evidence):
    contents = embedding(evidence) | {"train": evidence.contents()["train"]}
    train = contents["train"]
    train["details"]["main_metric"] = "stars_right"
    train["figures"]["validation_stars_right"] = evidence.figure(0.71)
    for epoch in train["details"]["epochs"]:
        epoch["stars_right"] = epoch.pop("accuracy")
        epoch["mean_error"] = epoch.pop("macro_f1")
    text = text_of(released(contents).html)
    assert "stars_right 0.710 on validation" in text
    assert "stars_rightmean_error" in text and "Macro F1" not in text


@pytest.mark.parametrize(
    ("unit", "english", "chinese"),
    [("tokens", "Size (tokens)", "大小（词元）"), ("pixels", "Size (pixels)", "大小（像素）")],
)
def test_the_cases_of_the_parity_gate_say_what_their_size_counts(released, evidence, unit, english, chinese):
    contents = evidence.contents()
    contents["export"]["details"]["parity_unit"] = unit
    made = released(contents)
    assert english in text_of(made.html)
    assert chinese in text_of(made.page("zh"))


def test_a_graph_that_came_quantised_is_its_own_reference(released, evidence):
    contents = embedding(evidence, reference="int8")
    variants = contents["optimize"]["details"]["variants"]
    contents["optimize"]["details"]["variants"] = [{**variants[2], "chosen": True}]
    contents["optimize"]["figures"]["size_ratio"] = evidence.figure(
        None, "not measured: the package has no float graph"
    )
    contents["evaluate"]["figures"]["size_ratio"] = evidence.figure(
        None, "not measured: the package has no float graph"
    )
    made = released(contents)
    assert "The graph as it came (int8) is served: no variant was really faster and as good." in text_of(made.html)
    assert "最终上线原图（int8）" in text_of(made.page("zh"))
    assert made.figure("size_ratio")["how"] == "the package has no float graph"


def test_the_card_names_the_metric_as_the_hub_does(released, evidence):
    card = released(embedding(evidence)).card
    assert "type: spearmanr" in card
    assert "accuracy" not in card.lower()
