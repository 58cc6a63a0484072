"""modelyard.yaml: what is said once reaches the stages, and a mistake names its line."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.project import load_project, name_of
from modelyard.errors import BadConfig, BadInput


def write(folder: Path, text: str) -> Path:
    (folder / "modelyard.yaml").write_text(text)
    (folder / "reviews.csv").write_text("text,label\ngood,yes\n")
    return folder


def test_name_and_task_are_said_once_and_reach_the_stages(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, "name: shop\ndata: reviews.csv\n"))
    assert (project.name, project.export.name) == ("shop", "shop")
    assert project.source() == tmp_path / "reviews.csv"


def test_without_a_file_the_name_is_that_of_the_data(tmp_path: Path) -> None:
    (tmp_path / "shop reviews (1).csv").write_text("text,label\n")
    project = load_project(tmp_path, str(tmp_path / "shop reviews (1).csv"))
    assert project.name == project.export.name == "shop-reviews-1"


def test_data_on_the_command_line_is_seen_from_where_the_user_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    write(tmp_path / "here", "")
    monkeypatch.chdir(tmp_path)
    project = load_project(tmp_path / "here", "here/reviews.csv")
    assert project.source() == tmp_path / "here" / "reviews.csv"


def test_an_unknown_key_names_file_line_and_the_nearest_key(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="unknown key epoch") as caught:
        load_project(write(tmp_path, "data: reviews.csv\ntrain:\n  seed: 3\n  epoch: 2\n"))
    assert caught.value.where == "modelyard.yaml, line 4, key train.epoch"
    assert caught.value.next == "did you mean epochs?"


def test_a_wrong_type_names_file_line_and_key(tmp_path: Path) -> None:
    with pytest.raises(BadConfig) as caught:
        load_project(write(tmp_path, "train:\n  epochs: many\n"))
    assert caught.value.where == "modelyard.yaml, line 2, key train.epochs"
    assert "'many'" in caught.value.message


def test_an_unknown_task_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="text_classification") as caught:
        load_project(write(tmp_path, "task: mind_reading\n"))
    assert "line 1" in str(caught.value.where)


def test_a_setting_wins_over_the_file(tmp_path: Path) -> None:
    project = load_project(write(tmp_path, "train: {epochs: 2, seed: 7}\n"), None, {"train": {"epochs": 5}})
    assert (project.train.epochs, project.train.seed) == (5, 7)


def test_no_data_says_how_to_name_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load_project(tmp_path).source()
    assert "modelyard run DATA" in str(caught.value.next)


@pytest.mark.parametrize(
    ("data", "name"), [("a/b.csv", "b"), ("评论.csv", "model"), ("x.tar.gz", "x-tar"), ("d/", "d")]
)
def test_a_name_holds_only_what_a_url_may_hold(data: str, name: str) -> None:
    assert name_of(data) == name
