"""The report on labels that people gave: R6 shown, gated, and said in both languages."""

from __future__ import annotations

from html import unescape
from typing import Any

import pytest

from modelyard.annotate.board import Item, Vote
from modelyard.annotate.config import AnnotateConfig
from modelyard.annotate.guideline import Guideline
from modelyard.annotate.quality import quality
from modelyard.fields import Label
from modelyard.stages.annotate import Labels
from modelyard.stages.annotate.evidence import hold, record
from modelyard.stages.release.languages.annotation import CHINESE, ENGLISH
from tests.rows import new_run
from tests.unit.stages.release.test_languages import ENGLISH_WORDS, text_of

CONFIG = AnnotateConfig(guideline="g", annotators=("anna", "ben"), arbiter="chen")


@pytest.fixture
def annotated(tmp_path, evidence):
    """The reports of a release whose data were annotated. names: of the classes; gold: how many items of it."""

    def made(names: tuple[str, ...] = ("good", "bad", "mixed"), gold: int = 20) -> dict[str, dict[str, Any]]:
        items = []
        for number in range(100):
            first = names[number % 2]
            torn = number % 20 == 0
            votes = (Vote("anna", first, 1), Vote("ben", names[1] if torn else first, 1 + number % 2))
            items.append(Item(f"i{number:03}", 1 + number // 50, 1, 2, votes, Vote("chen", first, 1) if torn else None))
        known = {f"i{number:03}": names[number % 2] for number in range(gold)}
        meaning = {names[0]: {"variants": {"irony": []}}, **{name: {} for name in names[1:]}}
        guideline = Guideline.model_validate({"name": "mood", "labels": meaning})
        labels = Labels(guideline, 2, items, known, "label", "label", Label())
        run = new_run(tmp_path)
        found = quality(items, known)
        record(found, labels, CONFIG, run)
        run.record("rows_out", 100, how="rows with a label", unit="rows")
        run.details.update({"dropped": {"no label can be given": 3}, "came_with_a_label": 7})
        hold(found, labels, CONFIG, run)
        return evidence.contents() | {"annotate": run.report("annotate").info}

    return made


def test_both_gates_and_the_figures_beside_them_are_on_the_first_page(released, annotated) -> None:
    made = released(annotated())
    figures = {figure["name"]: figure for figure in made.json["figures"] if figure["row"] == "R6"}
    assert {name: (one["value"], one["kind"], one["passed"]) for name, one in figures.items()} == {
        "resolved_agreement": (1.0, "gate", True),
        "gold_accuracy": (1.0, "gate", True),
        "blind_agreement": (0.95, "advice", None),
        "cohen_kappa": (pytest.approx(0.9), "advice", None),
        "fleiss_kappa": (pytest.approx(0.9, abs=0.01), "advice", None),
        "krippendorff_alpha": (pytest.approx(0.9, abs=0.01), "advice", None),
    }
    for words in ("The labels", "anna / ben", "labels blind", "mood, version 2", "specific agreement", "holds"):
        assert words in unescape(made.html)


def test_a_gate_on_agreement_of_ones_own_bar_can_refuse_a_release(released, annotated) -> None:
    made = released(annotated(), gates={"blind_agreement": 0.99})
    assert made.json["verdict"].startswith("Not released: Blind agreement of two annotators is 0.950")


def test_labels_that_came_with_the_data_have_one_line_and_no_section(released, evidence) -> None:
    made = released(evidence.contents())
    assert [figure["name"] for figure in made.json["figures"] if figure["row"] == "R6"] == ["resolved_agreement"]
    assert "The labels" not in made.html


def test_with_two_classes_and_no_gold_the_page_says_that_nothing_is_shown(released, annotated) -> None:
    html = unescape(released(annotated(("good", "bad"), gold=0)).html)
    assert "resolved agreement shows nothing" in html
    assert "nothing shows where two people are wrong in the same way" in html


@pytest.mark.parametrize("gold", [0, 20])
def test_no_english_sentence_is_left_on_the_chinese_page(released, annotated, gold: int) -> None:
    contents = annotated(("good", "bad"), gold=gold)
    contents["evaluate"]["details"]["examples_wrong"] = []
    contents["clean"]["details"]["dropped_examples"] = []
    contents["clean"]["details"]["repaired_examples"] = []
    contents["optimize"]["details"]["variants"] = []
    shown = unescape(text_of(released(contents, language="zh").html))
    for command_or_product in ("transformers eager float32", "modelyard serve reviews@champion"):
        shown = shown.replace(command_or_product, "")
    assert ENGLISH_WORDS.findall(shown) == []
    assert "盲标一致率" in shown


def test_both_languages_have_the_same_keys_with_the_same_places() -> None:
    assert ENGLISH.keys() == CHINESE.keys()
