"""`modelyard annotate`: what each of its verbs prints and how it ends."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from modelyard.cli import group
from tests.annotators import errs, fill, read_rows, write_rows
from tests.rows import write_csv
from tests.unit.tiny_bert import reviews

TRUTH = dict(reviews(40))
RIGHT = errs(TRUTH, 0.0)


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MODELYARD_WORKSPACE", raising=False)
    write_csv(tmp_path / "texts.csv", ("text",), [(text,) for text in list(TRUTH)[:20]])
    (tmp_path / "guideline.yaml").write_text("name: mood\nlabels: [negative, positive]\n")
    return tmp_path


SETTINGS = (
    "--set", "annotate.guideline=guideline.yaml", "--set", "annotate.annotators=[anna, ben]",
    "--set", "annotate.arbiter=chen", "--set", "annotate.batch_size=10",
)  # fmt: skip


def said(*arguments: str, code: int = 0) -> dict[str, Any]:
    result = CliRunner().invoke(group, ["annotate", *arguments, "--json"])
    assert result.exit_code == code, result.output + result.stderr
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


def test_files_go_out_and_labels_come_in_without_a_modelyard_yaml(desk: Path) -> None:
    opened = said("export", "texts.csv", *SETTINGS)
    assert (opened["outcome"], opened["waiting"]["of"]) == ("waiting", 40)
    assert [(each["batch"], each["annotator"], each["of"]) for each in opened["open"]] == [
        (1, "anna", 10), (1, "ben", 10), (2, "anna", 10), (2, "ben", 10),
    ]  # fmt: skip
    fill(desk / "annotate", {"anna": RIGHT, "ben": RIGHT})
    files = [str(path) for path in sorted((desk / "annotate").rglob("*.csv"))]
    taken = said("import", *files)
    assert (taken["taken"], taken["refused_count"], taken["next"]) == (40, 0, "modelyard run")
    assert not (desk / "modelyard.yaml").exists()
    done = said("export", "texts.csv", *SETTINGS, "--labels", "labels.csv")
    assert (done["outcome"], done["open"]) == ("done", [])
    rows = read_rows(desk / "labels.csv")
    assert {row["text"]: row["label"] for row in rows} == dict(list(TRUTH.items())[:20])
    assert {row["decided_by"] for row in rows} == {"agreed"}


def test_rows_that_are_not_taken_end_with_exit_code_2_and_the_others_are_safe(desk: Path) -> None:
    said("export", "texts.csv", *SETTINGS)
    fill(desk / "annotate", {"anna": RIGHT})
    path = desk / "annotate" / "anna" / "batch-001-anna.csv"
    rows = read_rows(path)
    rows[4]["label"] = "happy"
    write_rows(path, rows)
    answer = said("import", str(path), code=2)
    assert (answer["outcome"], answer["taken"], answer["refused_count"]) == ("failed", 9, 1)
    assert answer["error"]["message"] == "rows not taken: 1; the others were"
    assert answer["refused"] == [
        {
            "file": "batch-001-anna.csv",
            "line": 6,
            "reason": "'happy' is no label of the guideline; it has negative, positive",
        }
    ]


def test_review_and_agreement_speak_of_the_project(desk: Path) -> None:
    said("export", "texts.csv", *SETTINGS)
    wrong = next(iter(TRUTH))
    fill(desk / "annotate", {"anna": RIGHT, "ben": lambda text, stem: "positive" if text == wrong else TRUTH[text]})
    path = desk / "annotate" / "ben" / "batch-001-ben.csv"
    rows = read_rows(path)
    for row in rows:
        row["comment"] = "meant as irony?" if row["text"] == wrong else ""
    write_rows(path, rows)
    said("export", "texts.csv", *SETTINGS)
    project = ("--set", "data=texts.csv", *SETTINGS)
    figures = said("agreement", *project)["figures"]
    assert figures["blind_agreement"]["value"] == pytest.approx(0.95)
    (torn,) = said("review", *project)["disagreements"]
    assert (torn["shown"], torn["votes"]) == ([wrong], {"anna": "negative", "ben": "positive"})
    assert torn["comments"] == {"ben": "meant as irony?"}
    moved = said("assign", *project, "--batch", str(torn["batch"]), "--from", "chen", "--to", "dora")
    assert moved["moved"] == 1
    assert {"batch": 1, "round": 1, "annotator": "dora", "role": "arbiter", "done": 0, "of": 1} in moved["assigned"]


def test_agreement_of_plain_files_needs_no_project(desk: Path) -> None:
    header = ("id", "label")
    write_csv(desk / "anna.csv", header, [("1", "a"), ("2", "b"), ("3", "a"), ("4", "c"), ("5", ""), ("7", "?")])
    write_csv(desk / "ben.csv", header, [("1", "a"), ("2", "b"), ("3", "b"), ("4", "c"), ("6", "a"), ("7", "？")])
    write_csv(desk / "chen.csv", header, [("3", "c")])
    write_csv(desk / "gold.csv", header, [("1", "a"), ("2", "c"), ("9", "a")])
    answer = said("agreement", "anna.csv", "ben.csv", "--arbiter", "chen.csv", "--gold", "gold.csv")
    figures = {name: figure["value"] for name, figure in answer["figures"].items()}
    assert (figures["blind_agreement"], figures["resolved_agreement"], figures["gold_accuracy"]) == (0.8, 0.8, 0.5)
    assert [row["label"] for row in answer["per_label"]] == ["a", "b", "c"]
    assert not (desk / ".modelyard").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("agreement", "anna.csv"), "needs the files of two people"),
        (("agreement", "anna.csv", "lost.csv"), "lost.csv does not exist"),
        (("agreement", "anna.csv", "other/anna.csv"), "two files have one name"),
        (("import", "anna.csv"), "nothing is labelled here yet"),
        (("review",), "no data is named"),
        (("assign", "--batch", "1"), "--batch, --from and --to go together"),
        (("agreement", "--gold", "anna.csv"), "go with FILES"),
    ],
)
def test_what_cannot_be_done_is_told(desk: Path, arguments: tuple[str, ...], message: str) -> None:
    write_csv(desk / "anna.csv", ("id", "label"), [("1", "a")])
    result = CliRunner().invoke(group, ["annotate", *arguments])
    assert result.exit_code == 2
    assert message in result.stderr


def test_a_project_without_the_block_is_told_what_to_write(desk: Path) -> None:
    result = CliRunner().invoke(group, ["annotate", "export", "texts.csv"])
    assert result.exit_code == 2
    assert "write an `annotate:` block (docs/annotate.md)" in result.stderr
