"""The user's own file first: looked at, written down once, and refused before any work when nothing can come of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from modelyard.chain.inspect_source import look
from modelyard.chain.preflight import preflight
from modelyard.chain.project import load_project
from modelyard.chain.proposal import quoted
from modelyard.chain.templates import TEMPLATES
from modelyard.cli import group
from modelyard.config import parse_yaml
from modelyard.errors import BadConfig, BadInput, EnvironmentProblem
from modelyard.store.materialize import materialize
from modelyard.tasks import load_task
from modelyard.training import base as bases
from tests.pictures import box, encoded, write_coco
from tests.rows import labelled, new_run, write_csv
from tests.unit.tiny_bert import make_base, reviews


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def run(*words: str) -> Result:
    return CliRunner().invoke(group, list(words))


def users(path: Path, values: int, count: int = 400) -> Path:
    rows = [(*row, f"u{n % values}") for n, row in enumerate(reviews(count))]
    return write_csv(path, ["text", "label", "user_id"], rows)


def test_a_first_run_says_what_it_found_and_writes_it_down(here: Path) -> None:
    write_csv(here / "reviews.csv", ["text", "label"], reviews(400))
    result = run("run", "reviews.csv", "--to", "split")
    assert result.exit_code == 0, result.stderr
    lines = result.stderr.splitlines()
    assert lines[0] == (
        "reviews.csv  UTF-8, comma, 400 rows: text (text), label (2 classes: negative 50 %, positive 50 %)"
    )
    assert lines[1].strip() == ("no group column found: near duplicates are kept on one side   (change: split.group)")
    assert lines[2].startswith("wrote modelyard.yaml")
    written = (here / "modelyard.yaml").read_text()
    assert len(written.splitlines()) <= 8
    assert [line for line in written.splitlines() if not line.endswith(":") and "#" not in line] == []
    assert parse_yaml(written, "modelyard.yaml")[0] == {
        "name": "reviews",
        "task": "text_classification",
        "data": "reviews.csv",
        "ingest": {"columns": {"text": "text", "label": "label"}},
    }


def test_a_second_run_needs_no_argument_comes_from_the_cache_and_leaves_the_file_alone(here: Path) -> None:
    write_csv(here / "reviews.csv", ["text", "label"], reviews(400))
    run("run", "reviews.csv", "--to", "split")
    mine = (here / "modelyard.yaml").read_text() + "# mine\n"
    (here / "modelyard.yaml").write_text(mine)
    result = run("run", "--to", "split", "--json")
    assert [stage["outcome"] for stage in json.loads(result.stdout)["stages"]] == ["cached"] * 3
    assert (here / "modelyard.yaml").read_text() == mine


def test_the_data_path_is_relative_so_that_the_folder_can_move(here: Path, tmp_path: Path) -> None:
    write_csv(tmp_path / "data 1.csv", ["text", "label"], reviews(400))
    assert run("run", str(tmp_path / "data 1.csv"), "--to", "ingest").exit_code == 0
    assert parse_yaml((here / "modelyard.yaml").read_text(), "")[0]["data"] == "../data 1.csv"
    here.rename(tmp_path / "there")
    assert load_project(tmp_path / "there").source().is_file()


def test_other_data_than_the_file_names_are_read_with_its_settings_and_it_is_said(here: Path) -> None:
    for name in ("reviews.csv", "other.csv"):
        write_csv(here / name, ["text", "label"], reviews(400))
    run("run", "reviews.csv", "--to", "ingest")
    result = run("run", "other.csv", "--to", "ingest")
    assert result.exit_code == 0, result.stderr
    assert "modelyard.yaml names reviews.csv: other.csv is read with the settings in it" in result.stderr
    assert "names" not in run("run", "reviews.csv", "--to", "ingest").stderr


def test_a_dry_run_writes_nothing(here: Path) -> None:
    write_csv(here / "reviews.csv", ["text", "label"], reviews(400))
    assert run("run", "reviews.csv", "--to", "split", "--dry-run").exit_code == 0
    assert not (here / "modelyard.yaml").exists()


def test_a_column_that_names_the_writer_keeps_rows_together_and_is_written_down(here: Path) -> None:
    users(here / "reviews.csv", 50)
    result = run("run", "reviews.csv", "--to", "split", "--json")
    assert "user_id (50 values): all rows of one stay on one side" in result.stderr
    assert json.loads(result.stdout)["look"]["groups"] == [{"column": "user_id", "values": 50, "how": "by name"}]
    assert load_project(here).ingest.columns.group == ("user_id",)


@pytest.mark.parametrize("values", [400, 3])
def test_a_column_that_would_cut_nothing_or_everything_is_not_taken_as_a_group(here: Path, values: int) -> None:
    users(here / "reviews.csv", values)
    seen = look(load_project(here, "reviews.csv"))
    assert seen.groups == ()
    assert any("user_id is not used to keep rows together" in line for line in seen.lines()) == (values == 3)


def test_settings_given_on_the_command_line_are_looked_with_and_written_down(here: Path) -> None:
    rows = [(text, text + " again", label) for text, label in reviews(400)]
    write_csv(here / "reviews.csv", ["review", "content", "label"], rows, encoding="cp1252")
    refused = run("run", "reviews.csv", "--to", "split")
    assert refused.exit_code == 2
    assert "--set ingest.columns.text=review" in refused.stderr
    assert list(here.iterdir()) == [here / "reviews.csv"]
    result = run("run", "reviews.csv", "--to", "split", "--set", "ingest.columns.text=content")
    assert result.exit_code == 0, result.stderr
    assert load_project(here).ingest.columns.named["text"] == "content"


def test_the_task_is_the_one_whose_columns_the_data_have(here: Path) -> None:
    write_coco(here / "scenes", {f"{n}.png": [box()] for n in range(4)})
    result = run("init", "scenes")
    assert result.exit_code == 0, result.stderr
    assert load_project(here).task == "detection"
    assert "COCO, 4 rows" in (here / "modelyard.yaml").read_text()
    pairs = write_csv(here / "pairs.csv", ["text_a", "text_b", "score"], [("a cat", "a dog", "0.5")] * 4)
    result = run("init", str(pairs), "--force")
    assert "a model of the task text_embedding is not trained here" in result.stderr
    # A stage alone takes the task that it is told, and says which one the columns are of.
    refused = run("ingest", "scenes", "--out", "rows")
    assert (refused.exit_code, "--set task=detection" in refused.stderr) == (2, True)


def test_pictures_in_folders_called_after_classes_are_for_a_classifier_of_pictures(here: Path) -> None:
    for number in range(24):
        folder = here / "pets" / ("cat", "dog")[number % 2]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{number}.png").write_bytes(encoded(number))
    assert run("init", "pets").exit_code == 0
    written = (here / "modelyard.yaml").read_text()
    assert "task: image_classification    # one image in, one of 2 classes out\n" in written
    assert "data: pets                    # pictures, 24 rows\n" in written
    seen = look(load_project(here))
    assert (seen.columns, seen.classes) == ({"image": "image", "label": "label"}, {"cat": 12, "dog": 12})
    (here / "pets" / "cat" / "0.png").write_bytes(b"no picture")
    assert "cat/0.png" in (look(load_project(here)).first_set_aside or "")


def test_pictures_of_which_nobody_said_anything_want_a_task(here: Path) -> None:
    (here / "pictures").mkdir()
    (here / "pictures" / "1.png").write_bytes(encoded(1))
    refused = run("run", "pictures")
    assert (refused.exit_code, "name a task that reads them" in refused.stderr) == (2, True)


def test_one_class_is_refused_before_anything_is_made(here: Path) -> None:
    write_csv(here / "reviews.csv", ["text", "label", "stars"], [(text, "good", "1") for text, _ in reviews(60)])
    with pytest.raises(BadInput, match="all 60 rows have one label, good") as caught:
        look(load_project(here, "reviews.csv"))
    assert "--set ingest.columns.label=stars" in str(caught.value.next)


def test_a_large_file_is_looked_at_only_at_its_beginning(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from modelyard.chain import inspect_source
    from modelyard.stages.ingest import peek

    monkeypatch.setattr("modelyard.stages.ingest.text_files.delimited.BATCH_ROWS", 100)
    monkeypatch.setattr(inspect_source, "peek", lambda source, config: peek(source, config, 10_000))
    write_csv(here / "reviews.csv", ["text", "label"], reviews(1000))
    seen = look(load_project(here, "reviews.csv"))
    assert not seen.whole
    assert 100 <= seen.rows < 1000
    assert f"the first {seen.rows:,} rows" in seen.lines()[0]


def test_a_directory_that_modelyard_wrote_keeps_its_roles(here: Path, tmp_path: Path) -> None:
    materialize(labelled(new_run(tmp_path), reviews(400)), here / "data")
    seen = look(load_project(here, "data"))
    assert (seen.columns["text"], seen.columns["label"], seen.rows) == ("text", "label", 400)
    result = run("run", "data", "--to", "split")
    assert result.exit_code == 0, result.stderr
    assert load_project(here).ingest.columns.named.get("text") is None


@pytest.mark.parametrize(
    "name", ["plain", "two words", "yes", "a: b", "# c", "评论", "'", '"', "1", "- x", " lead", "a#b", "x\ty"]
)
def test_any_name_of_a_column_is_read_back_as_it_is(name: str) -> None:
    assert parse_yaml(f"key: {quoted(name)}  # why\n", "")[0] == {"key": name}


def test_a_class_name_cannot_break_out_of_its_comment(here: Path) -> None:
    rows = [(text, {"positive": "a\nname: evil\nx: #", "negative": "b"}[label]) for text, label in reviews(400)]
    write_csv(here / "reviews.csv", ["text", "label"], rows)
    assert run("run", "reviews.csv", "--to", "ingest").exit_code == 0
    assert load_project(here).name == "reviews"


def test_a_base_that_cannot_be_had_is_said_before_ingest(here: Path) -> None:
    write_csv(here / "reviews.csv", ["text", "label"], reviews(400))
    result = run("run", "reviews.csv", "--json")  # tests run without a hub
    assert result.exit_code == 3
    error = json.loads(result.stdout)["error"]
    assert (error["kind"], error["where"]) == ("environment", "train.base")
    assert "--set train.base=minilm" in error["next"]
    assert "ingest" not in result.stderr.replace("ingest.", "")


def test_minilm_is_a_base_that_needs_no_hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(bases, "minilm", lambda: tmp_path)
    assert bases.resolve_base("minilm", load_task("text_classification").training()) == tmp_path


def test_more_tokens_than_the_base_reads_are_refused_with_the_line(here: Path, tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    (here / "modelyard.yaml").write_text(f"data: reviews.csv\ntrain:\n  base: {base}\n  max_length: 65\n")
    with pytest.raises(BadConfig, match="max_length is 65, this model reads at most 64 tokens") as caught:
        preflight(load_project(here))
    assert caught.value.where == "modelyard.yaml, line 4, key train.max_length"
    preflight(load_project(here, None, {"train": {"max_length": 64}}))
    preflight(load_project(here), last="split")  # nothing that train needs is asked for


def test_packages_that_training_lacks_are_named_before_ingest(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard.chain.preflight.find_spec", lambda name: None if name == "torch" else object())
    with pytest.raises(EnvironmentProblem, match="not installed: torch") as caught:
        preflight(load_project(here, "reviews.csv"))
    assert "modelyard doctor" in str(caught.value.next)


@pytest.mark.parametrize(
    ("yaml", "line", "message"),
    [
        ("train:\n  batch_size: 16\n  micro_batch_size: 32\n", 3, "micro_batch_size 32 is more than batch_size 16"),
        ("split:\n  shares:\n    train: 0.9\n    test: 0.2\n", 2, "add up to 1.2"),
        ("release:\n  gates:\n    p99_ms: 50\n    acuracy: 0.9\n", 4, "did you mean accuracy?"),
        ("ingest:\n  columns:\n    text: a\n    label: a\n", 3, "the column a is given two roles"),
        ("name: a\nexport:\n  name: b\n", 1, "leave export.name out"),
        ("release:\n  override: ' '\n", 2, "needs its reason"),
    ],
)
def test_settings_that_do_not_go_together_name_their_line(here: Path, yaml: str, line: int, message: str) -> None:
    (here / "modelyard.yaml").write_text(yaml)
    with pytest.raises(BadConfig, match=message) as caught:
        load_project(here)
    assert str(caught.value.where).startswith(f"modelyard.yaml, line {line}, key ")


def test_a_stage_that_runs_alone_may_be_told_its_own_name(here: Path) -> None:
    assert load_project(here, None, {"export": {"name": "shop"}}).export.name == "shop"


def test_a_column_of_the_split_that_is_not_there_is_named_with_its_line(here: Path) -> None:
    write_csv(here / "reviews.csv", ["text", "label", "shop"], [(*row, "x") for row in reviews(60)])
    (here / "modelyard.yaml").write_text("data: reviews.csv\nsplit:\n  strata: [shopp]\n")
    with pytest.raises(BadConfig, match=r"split\.strata names shopp, which is no column") as caught:
        look(load_project(here))
    assert caught.value.where == "modelyard.yaml, line 3, key split.strata"
    assert "text, label, shop" in str(caught.value.next)


def test_init_proposes_from_data_and_never_overwrites_unless_forced(here: Path) -> None:
    users(here / "reviews.csv", 50)
    shown = run("init", "reviews.csv", "--dry-run")
    assert "group: user_id" in shown.stdout
    assert not (here / "modelyard.yaml").exists()
    assert run("init", "reviews.csv").exit_code == 0
    (here / "modelyard.yaml").write_text("name: mine\ndata: reviews.csv\n")
    refused = run("init", "reviews.csv")
    assert refused.exit_code == 2
    assert "--force" in refused.stderr
    assert (here / "modelyard.yaml").read_text().startswith("name: mine")
    assert run("init", "reviews.csv", "--force").exit_code == 0
    assert load_project(here).name == "reviews"


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_runs_as_it_is(here: Path, name: str) -> None:
    assert name in run("init").stdout
    assert run("init", name).exit_code == 0
    result = run("run", "--to", "split")
    assert result.exit_code == 0, result.stderr
    assert run("init", name).exit_code == 2


def test_a_forced_template_leaves_the_users_data_alone(here: Path) -> None:
    (here / "reviews.csv").write_text("mine")
    assert run("init", "text_classification", "--force").exit_code == 0
    assert (here / "reviews.csv").read_text() == "mine"
    assert (here / "modelyard.yaml").is_file()


def test_a_template_that_is_misspelt_names_the_nearest(here: Path) -> None:
    result = run("init", "text_clasification", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["error"]["next"] == "did you mean text_classification?"
