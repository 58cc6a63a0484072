"""`modelyard adopt` and `modelyard release` as typed: what they refuse before anything long begins."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import modelyard as my
from modelyard.chain.release_existing import hold_free
from modelyard.cli import group
from modelyard.errors import BadInput
from modelyard.store import Model, Package
from tests.unit.stages.adopt.models import make_classifier, make_text_onnx, make_tokenizer
from tests.unit.tiny_bert import reviews


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def typed(*arguments: str) -> tuple[int, dict[str, Any]]:
    done = CliRunner().invoke(group, [*arguments, "--json"])
    return done.exit_code, json.loads(done.stdout)


def rows(path: Path, labels: tuple[str, str] = ("negative", "positive")) -> Path:
    names = dict(zip(("negative", "positive"), labels, strict=True))
    path.write_text("text,label\n" + "".join(f"{text},{names[label]}\n" for text, label in reviews(100)))
    return path


def test_a_directory_is_adopted_on_the_command_line_and_in_python_alike(here: Path, tiny_base: Path) -> None:
    make_classifier(here / "sentiment", tiny_base)
    code, answer = typed("adopt", "sentiment", "--out", "a")
    assert code == 0
    assert (answer["kind"], answer["task"], answer["labels"]) == (
        "model", "text_classification", ["negative", "positive"],
    )  # fmt: skip
    assert Path(answer["report"]).is_file()
    made = my.adopt("sentiment", out="b").made
    assert isinstance(made, Model)
    assert made.digest == answer["digest"]


def test_options_are_settings_of_adopt(here: Path, tiny_base: Path) -> None:
    make_text_onnx(here / "graph.onnx", "output_0", 2)
    make_tokenizer(here / "tokenizer", tiny_base)
    told = ["--tokenizer", "tokenizer", "--labels", "bad, good", "--name", "mine"]
    code, answer = typed(
        "adopt", "graph.onnx", "--out", "a", *told, "--set", "golden=5", "--set", "adopt.max_length=16"
    )
    assert code == 0
    package = Package.open(Path(answer["out"]))
    assert (package.name, package.info["labels"]) == ("mine", ["bad", "good"])
    assert (package.info["golden"]["count"], package.info["pipeline"]["max_length"]) == (5, 16)
    code, answer = typed("adopt", "graph.onnx", "--out", "b", *told, "--set", "goldne=5")
    assert (code, answer["error"]["next"]) == (2, "did you mean golden?")


def test_a_name_comes_from_the_path_where_the_file_says_none(here: Path, tiny_base: Path) -> None:
    make_text_onnx(here / "my_export" / "onnx" / "model.onnx", "last_hidden_state")
    make_tokenizer(here / "tokenizer", tiny_base)
    made = my.adopt("my_export/onnx/model.onnx", out="a", tokenizer="tokenizer").made
    assert isinstance(made, Package)
    assert made.name == "my_export"


def test_release_without_a_model_says_what_to_type(here: Path) -> None:
    code, answer = typed("release")
    assert (code, answer["error"]["next"]) == (2, "modelyard release MODEL --data test.csv")
    (here / "modelyard.yaml").write_text("data: reviews.csv\n")
    code, answer = typed("release")
    assert code == 2
    assert answer["error"]["next"].startswith("modelyard run --from release")


def test_release_without_rows_says_what_to_type(here: Path, tiny_base: Path) -> None:
    make_classifier(here / "sentiment", tiny_base)
    code, answer = typed("release", "sentiment")
    assert (code, answer["error"]["message"]) == (2, "no rows were given to judge the model by")
    assert answer["error"]["next"].startswith("modelyard release sentiment --data test.csv")


def test_what_lies_in_the_way_is_never_overwritten(here: Path, tiny_base: Path) -> None:
    make_classifier(here / "sentiment", tiny_base)
    (here / "mine").mkdir()
    (here / "mine" / "notes.txt").write_text("mine")
    code, answer = typed("release", "sentiment", "--data", str(rows(here / "test.csv")), "--out", "mine")
    assert (code, answer["error"]["message"]) == (2, f"{here / 'mine'} is there already")
    assert [path.name for path in (here / "mine").iterdir()] == ["notes.txt"]


def test_only_a_release_that_was_refused_makes_way(here: Path) -> None:
    out = here / "release"
    out.mkdir()
    hold_free(out)
    (out / "report.json").write_text(json.dumps({"released": True}))
    with pytest.raises(BadInput):
        hold_free(out)
    (out / "report.json").write_text(json.dumps({"released": False}))
    hold_free(out)
    (out / "package").mkdir()
    with pytest.raises(BadInput):
        hold_free(out)


def test_classes_that_the_model_does_not_have_are_told_before_anything_is_measured(here: Path, tiny_base: Path) -> None:
    make_text_onnx(here / "graph.onnx", "logits", 2)
    make_tokenizer(here / "tokenizer", tiny_base, id2label={"0": "NEGATIVE", "1": "POSITIVE"})
    data = str(rows(here / "test.csv"))
    code, answer = typed("release", "graph.onnx", "--tokenizer", "tokenizer", "--data", data)
    assert (code, answer["outcome"], answer["stage"]) == (2, "failed", "sides")
    assert answer["error"]["message"] == "the rows have the class 'negative', the model knows NEGATIVE, POSITIVE"
    assert "--labels negative,positive" in answer["error"]["next"]
    assert not list(here.glob("*graph-release*"))


def test_a_tensor_package_is_not_released_for_want_of_a_figure(here: Path) -> None:
    make_text_onnx(here / "graph.onnx", "logits", 2)
    code, answer = typed("release", "graph.onnx", "--data", str(rows(here / "test.csv")))
    assert code == 2
    assert "nothing to be right about" in answer["error"]["message"]
    assert "modelyard adopt graph.onnx --out DIR" in answer["error"]["next"]
    assert not list(here.glob(".*"))
