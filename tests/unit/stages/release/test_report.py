from __future__ import annotations

import csv
import io
import re
from html.parser import HTMLParser
from urllib.parse import unquote

import pytest
import yaml

from modelyard.run import Run
from modelyard.stages.release import ReleaseConfig, release

# What HTML never closes.
_VOID = {"meta", "br", "hr", "img", "link", "input", "col", "wbr"}
ROWS = ["R1", "R2", "R3", "R6", "R15", "R21", "R22", "R23", "R24", "R25", "R26", "R27", "R30", "R31", "R35", "R38"]


class Document(HTMLParser):
    """Elements and their attributes; notes every tag that is closed out of order."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.broken: list[str] = []
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.scripts = 0
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        self.scripts += tag == "script"
        if tag not in _VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.broken.append(tag)

    def handle_data(self, data):
        if not self.open or self.open[-1] not in ("script", "style"):
            self.text.append(data)


def figures_of(html: str) -> list[str]:
    return re.findall(r"<figure.*?</figure>", html, flags=re.DOTALL)


def test_the_page_is_well_formed(released):
    document = Document(released().html)
    assert document.broken == []
    assert document.open == []


def test_the_page_loads_nothing_from_elsewhere(released, evidence):
    for contents in (None, evidence.hostile()):
        html = released(contents).html
        document = Document(html)
        for tag, attributes in document.elements:
            assert tag not in ("link", "img", "iframe", "object", "embed", "base")
            for name in ("src", "href", "srcset", "action", "xlink:href"):
                target = attributes.get(name)
                beside = ("report.html", "report.zh.html")
                assert target is None or target.startswith(("#", "data:text/csv")) or target in beside
        assert "url(" not in html and "@import" not in html
        policy = next(attributes["content"] for _, attributes in document.elements if "http-equiv" in attributes)
        assert policy.startswith("default-src 'none'")


def test_the_policy_lets_the_pages_own_script_run_and_no_other(released):
    import base64
    import hashlib

    html = released().html
    script = re.search(r"<script>(.*?)</script>", html, flags=re.DOTALL).group(1)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'" in html.replace("&#39;", "'")


def test_html_in_the_data_is_shown_and_never_acted_on(released, evidence):
    made = released(evidence.hostile(), description=evidence.HOSTILE)
    document = Document(made.html)
    assert document.scripts == 1
    assert document.broken == [] and document.open == []
    shown = "".join(document.text)
    assert shown.count(evidence.HOSTILE) > 10
    assert "<script" not in made.card


def test_the_first_screen_comes_first_verdict_figures_and_what_to_do(released):
    html = released(gates={"accuracy": 0.84}).html
    places = [html.index(words) for words in (
        "Released: 0.852 accuracy", "What it saves, and against what", "What decides",
            "598 test rows, percentile bootstrap", "(0.823-0.880)", "What to do next",
        "modelyard serve reviews@champion", "<details")]  # fmt: skip
    assert places == sorted(places)


def test_a_failed_gate_stands_first_among_what_decides(released):
    html = released(gates={"accuracy": 0.87}).html
    table = html[html.index('class="figures"') :]
    assert table.index("Accuracy</span>") < table.index("Export parity")
    assert ">failed</span>" in table


def test_every_chart_has_its_finding_its_axes_and_its_data_one_click_away(released):
    made = released()
    figures = figures_of(made.html)
    slugs = [re.search(r'id="chart-(\w+)"', figure).group(1) for figure in figures]
    assert slugs == [
        "confusion", "slices", "calibration", "latency", "cpu_ms", "throughput", "variants", "learning_curve",
        "learning_rate", "class_counts",
    ]  # fmt: skip
    for slug, figure in zip(slugs, figures, strict=True):
        title = re.search(r"<figcaption>(.+?)</figcaption>", figure).group(1)
        assert f"<title>{title}</title>" in figure
        assert figure.count('class="axis-title"') >= (
            1 if slug in ("cpu_ms", "throughput", "variants", "class_counts", "slices") else 2
        )
        link = re.search(r'href="data:text/csv;charset=utf-8,([^"]+)"', figure).group(1)
        assert unquote(link) == (made.report.path / "data" / f"{slug}.csv").read_bytes().decode()


def test_chart_titles_are_computed_from_the_data(released, evidence):
    titles = re.findall(r"<figcaption>(.+?)</figcaption>", released().html)
    assert "Half of the answers take 4.1 ms or less; the eager model needs 17.5 ms" in titles
    assert "domain = kitchen is the weakest slice: 0.757 against 0.852 overall" in titles
    assert "int8 answers in 4.1 ms, 2.0x as fast as float" in titles
    assert "Scores are too sure by 0.043 on average" in titles
    contents = evidence.contents()
    contents["evaluate"]["details"]["slices"][1]["interval"] = [0.70, 0.86]
    titles = re.findall(r"<figcaption>(.+?)</figcaption>", released(contents).html)
    assert "No slice lies clearly below the accuracy of 0.852 overall" in titles


def test_wrong_answers_about_pictures_show_them_and_what_they_hold_does_no_harm(released, evidence):
    contents = evidence.contents()
    rows = contents["evaluate"]["details"]["examples_wrong"]
    for row in rows:
        row.update(text="", picture="/9j/4AAQ")
    rows[1]["picture"] = '"><script>alert(1)</script>'
    html = released(contents).html
    assert f'<img src="data:image/jpeg;base64,/9j/4AAQ" alt="{rows[0]["label"]}">' in html
    assert "<script>alert" not in html
    assert '<th scope="col">Picture</th>' in html
    assert "img-src data:" in html
    assert "<img" not in released().html


def test_csv_cells_that_a_spreadsheet_would_run_are_disarmed(released, evidence):
    contents = evidence.contents()
    contents["evaluate"]["details"]["slices"][0]["value"] = "=HYPERLINK(1)"
    made = released(contents)
    rows = list(csv.DictReader(io.StringIO((made.report.path / "data" / "slices.csv").read_text())))
    assert "'=HYPERLINK(1)" in [row["value"] for row in rows]
    assert rows[0] == {
        "column": "domain", "value": "kitchen", "rows": "148", "accuracy": "0.757", "low": "0.682", "high": "0.819",
    }  # fmt: skip


def test_the_json_has_every_promise_that_applies(released):
    made = released()
    figures = made.json["figures"]
    assert sorted({figure["row"] for figure in figures}, key=lambda row: int(row[1:])) == ROWS
    keys = {"row", "name", "value", "interval", "bar", "comparison", "unit", "how", "kind", "passed"}
    assert all(set(figure) == keys and figure["how"] for figure in figures)
    assert {figure["kind"] for figure in figures} == {"gate", "advice", "not_measured"}
    assert made.figure("class_imbalance")["bar"] == 0.20
    assert made.figure("parity_max_abs") | {"how": ""} == {
        "row": "R24", "name": "parity_max_abs", "value": 1.44e-6, "interval": None, "bar": 1e-3,
        "comparison": "at_most", "unit": "number", "how": "", "kind": "gate", "passed": True,
    }  # fmt: skip
    assert made.figure("latency_cut")["passed"] is True
    assert made.figure("cycle_ratio")["how"].startswith("needs a tuned and a plain training run side by side")
    assert made.figure("graph_gain")["value"] == pytest.approx(1 - 8.0 / 17.5)
    assert made.figure("accuracy_over_baseline")["value"] == pytest.approx(0.852 - 0.7174)


def test_the_speed_up_has_a_bar_only_where_the_processor_has_integer_dot_products(released, evidence):
    assert released().figure("speedup")["bar"] is None
    contents = evidence.contents()
    contents["optimize"]["environment"]["cpu_flags"] = ["avx2", "avx512_vnni"]
    figure = released(contents).figure("speedup")
    assert (figure["bar"], figure["passed"]) == (2.0, False)


@pytest.mark.parametrize("missing", ["ingest", "clean", "split", "train", "export", "optimize", "evaluate"])
def test_a_missing_report_is_named_and_the_rest_stands(released, evidence, missing):
    contents = evidence.contents()
    del contents[missing]
    made = released(contents)
    document = Document(made.html)
    assert document.broken == []
    ids = {attributes.get("id") for _, attributes in document.elements}
    for tag, attributes in document.elements:
        if tag == "a" and (attributes.get("href") or "").startswith("#"):
            assert attributes["href"][1:] in ids
    reasons = [figure["how"] for figure in made.json["figures"] if figure["kind"] == "not_measured"]
    assert missing == "ingest" or f"{missing} has not run" in reasons
    assert "NaN" not in made.html and "None" not in "".join(document.text)


def test_what_a_stage_said_about_a_figure_it_could_not_measure_is_passed_on(released, evidence):
    contents = evidence.contents()
    contents["evaluate"]["figures"]["latency_cut"] = evidence.figure(None, "not measured: the model was not given")
    figure = released(contents).figure("latency_cut")
    assert (figure["kind"], figure["how"]) == ("not_measured", "the model was not given")


def test_the_golden_set_that_evaluate_replayed_is_a_gate(released, evidence):
    contents = evidence.contents()
    contents["evaluate"]["figures"]["golden_set"] = evidence.figure(63 / 64, "63 of 64 golden inputs", "share")
    contents["evaluate"]["gates"] = [evidence.gate("golden_set", 63 / 64, 0.9375, "at_least")]
    made = released(contents)
    figure = made.figure("golden_set")
    assert (figure["kind"], figure["passed"], figure["how"]) == ("gate", True, "63 of 64 golden inputs")
    assert "| Golden set, answers as the float model | 98 % | at least 94 % | passed |" in made.card


def test_empty_details_leave_their_parts_out(released, evidence):
    contents = evidence.contents()
    for content in contents.values():
        content["details"], content["figures"] = {}, {}
    made = released(contents)
    assert figures_of(made.html) == []
    assert Document(made.html).broken == []


def test_many_classes_are_cut_to_what_can_be_read_and_the_data_hold_all(released, evidence):
    contents = evidence.contents()
    labels = [f"class {index:02d}" for index in range(40)]
    counts = [[100 if row == column else (row * column) % 3 for column in range(40)] for row in range(40)]
    contents["evaluate"]["details"]["confusion"] = {"labels": labels, "counts": counts}
    contents["split"]["details"]["class_counts"] = {label: 100 + index for index, label in enumerate(labels)}
    made = released(contents)
    assert "The 12 classes with most errors of 40 are drawn" in made.html
    lines = (made.report.path / "data" / "confusion.csv").read_text().splitlines()
    assert len(lines) == 1 + 40 * 40


def test_the_same_evidence_makes_the_same_report(released):
    assert released().report.digest == released().report.digest


def test_what_to_do_next_names_commands_slices_and_rows_to_collect(released, evidence):
    contents = evidence.contents()
    contents["split"]["figures"]["class_imbalance"] = evidence.figure(0.5)
    contents["split"]["details"]["class_counts"] = {"negative": 1000, "positive": 2000}
    steps = [step["text"] for step in released(contents).json["next"]]
    assert steps[0] == "Serve it."
    assert "Read the wrong answers of domain = kitchen: 0.757 (0.682-0.819), 0.852 overall." in steps
    assert "Collect 600 rows of negative: that brings the classes within 20 %." in steps


def test_a_model_below_the_plain_baseline_is_told_to_train_longer(released, evidence):
    contents = evidence.contents()
    contents["evaluate"]["figures"]["baseline_accuracy"] = evidence.figure(0.9)
    step = released(contents).json["next"][1]
    assert step == {
        "text": "The plain baseline is more accurate by 0.048: train longer, or on more rows.",
        "command": "modelyard run --set train.epochs=4",
    }


def test_a_long_slice_name_is_cut_and_its_rows_still_show(released, evidence):
    contents = evidence.contents()
    contents["evaluate"]["details"]["slices"][0]["value"] = "a name far too long to stand beside a chart"
    assert re.search(r"a name far too l\w*… \(212\)", released(contents).html)


def test_earlier_versions_stand_beside_this_one(released):
    first = released(version=1)
    html = released(version=2, history=(first.report,)).html
    part = html[html.index('id="history"') :]
    assert "version 1" in part and "this one" in part


def test_the_figures_file_follows_the_schema_of_every_stage(released):
    info = released(gates={"accuracy": 0.87}).report.info
    assert (info["format"], info["stage"]) == (1, "release")
    assert info["figures"]["accuracy"]["value"] == 0.852
    assert info["figures"]["accuracy"]["interval"] == [0.8227, 0.8796]
    assert {gate["name"]: gate["passed"] for gate in info["gates"]} == {
        "parity_max_abs": True,
        "parity_accuracy": True,
        "accuracy_lost": True,
        "dropped_share": True,
        "accuracy": False,
    }


def test_the_model_card_has_front_matter_that_the_hub_reads(released):
    card = released(license="apache-2.0").card
    _, front, body = card.split("---\n", 2)
    matter = yaml.safe_load(front)
    assert matter["license"] == "apache-2.0"
    assert matter["pipeline_tag"] == "text-classification"
    result = matter["model-index"][0]["results"][0]
    assert result["metrics"][0] == {"type": "accuracy", "name": "Accuracy", "value": 0.852}
    assert "| Accuracy | 0.852 (0.823-0.880) |" in body
    assert "modelyard serve reviews@champion" in body
    assert yaml.safe_load(released().card.split("---\n", 2)[1])["license"] == "unknown"


@pytest.mark.parametrize(
    ("task", "said"),
    [
        ("text_classification", "Gives one of negative, positive for a text, with a score."),
        ("detection", "Gives the boxes of what lies on a picture, each with one of negative, positive and a score."),
        ("image_classification", "Gives one of negative, positive for a picture, with a score."),
        ("text_embedding", "Gives one vector for a text"),
    ],
)
def test_the_model_card_says_what_a_request_is_answered_with(tmp_path, evidence, task, said):
    store = evidence.new_store(tmp_path)
    report = release(evidence.package(store, task=task), {}, ReleaseConfig(), Run(store))
    assert said in (report.path / "README.md").read_text("utf-8")


def test_the_card_of_a_version_kept_back_does_not_say_how_to_serve_it(released):
    assert "modelyard serve reviews" not in released(gates={"accuracy": 0.9}).card
