"""What the report shows as evidence, beside its figures."""

from __future__ import annotations

import re
from html import unescape

from tests.unit.stages.release.test_report import Document


def text_of(html: str) -> str:
    return unescape(" ".join("".join(Document(html).text).split()))


def test_savings_name_their_baseline_and_what_was_not_measured_says_why(released):
    html = released().html
    part = text_of(html[html.index('<section class="headline">') : html.index('<div class="first">')])
    assert "not measured shorter training cycle aim: at least 4.7x needs a tuned and a plain training run" in part
    assert "77 % (75-78) lower latency (P50) aim: at least 40 % met against the eager model (transformers" in part
    assert "54 % lower cost (CPU time an answer) aim: at least 60 % missed against the eager model" in part


def test_warnings_of_the_stages_stand_on_the_first_screen(released, evidence):
    contents = evidence.contents()
    warning = "int8: 0.2 points of accuracy lost on validation (95 %: -0.4 to 0.8): too few validation rows to exclude"
    contents["optimize"]["details"]["warnings"] = [f"{warning} a loss of more than 0.5 point"]
    made = released(contents)
    assert f"optimize: {warning}" in text_of(made.html[: made.html.index("<details")])
    assert "optimize：int8：验证集准确率损失 0.2 个百分点" in text_of(made.page("zh"))
    assert "Warnings of the stages" not in released().html


def test_a_p99_of_few_requests_says_on_how_many_answers_it_rests(released, evidence):
    contents = evidence.contents()
    contents["evaluate"]["details"]["latency"]["served"]["1"]["requests"] = 170
    how = released(contents).figure("latency_p99_ms")["how"]
    assert how.endswith("; P99 of 170 requests rests on the slowest 2: a hint, not a proof")
    assert "hint" not in released().figure("latency_p99_ms")["how"]


def test_slices_that_were_left_out_are_named_with_the_reason(released):
    shown = text_of(released().html)
    assert "document has 598 values, too many to cut by." in shown
    assert "Left out of domain: music (7): fewer than 20 rows say nothing." in shown


def test_dropped_and_repaired_rows_are_shown_with_their_line(released):
    html = released().html
    shown = text_of(html)
    assert "Dropped rows, 3 of 3 examples" in shown
    assert re.search(r">102</td><td class=\"\">I love this product", html)
    assert "a cafÃ© like no other" in shown and "a café like no other" in shown
    assert re.search(r">812</td><td class=\"\">broken quoting", html)


def test_the_choice_among_the_variants_is_told_and_each_says_why(released):
    shown = text_of(released().html)
    assert "int8 is served: 2.0x as fast as the plain float graph, 3.9x smaller." in shown
    assert "slower than float on this machine" in shown


def test_every_measured_figure_has_a_how_of_its_own(released):
    figures = [figure for figure in released().json["figures"] if figure["value"] is not None]
    assert [figure["name"] for figure in figures if figure["how"].startswith("recorded by")] == []


def test_no_figure_that_is_a_difference_of_accuracies_is_a_bare_number(released):
    shown = text_of(released().html)
    assert "0.2 points(−0.4 to 0.8) at most 1 point" in shown
    assert "0.0 points at most 0.2 points" in shown


def test_the_model_card_is_read_by_the_hubs_own_parser(released):
    from huggingface_hub import ModelCard

    made = released(license="apache-2.0", language="zh")
    card = ModelCard(made.card)
    assert card.data.license == "apache-2.0"
    assert card.data.pipeline_tag == "text-classification"
    results = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert results == {"accuracy": 0.852, "f1": 0.8513}
    assert card.text.strip().startswith("# reviews 版本 3")
