"""What is shown in which framework, and the project that a demonstration writes."""

from __future__ import annotations

import pytest

from modelyard.chain.preflight import preflight
from modelyard.chain.project import load_project
from modelyard.demo.demos import DEMOS, demo_of
from modelyard.demo.tour import prepare
from modelyard.errors import BadConfig, BadInput


def test_keras_shows_the_same_pictures_by_a_network_of_the_users(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    shown, other = demo_of("image_classification", "keras"), demo_of("image_classification", "torch")
    assert (shown.data, shown.rows, shown.write) == (other.data, other.rows, other.write)
    (tmp_path / shown.data).mkdir()
    (tmp_path / "modelyard.yaml").write_text(shown.yaml)
    for name, content in shown.beside().items():
        (tmp_path / name).write_bytes(content)
    project = load_project(tmp_path)
    assert (project.train.framework, project.train.base) == ("keras", f"{tmp_path}/model.py:build_model")
    preflight(project)


def test_a_task_that_is_not_shown_in_a_framework_names_the_one_that_is():
    for task in DEMOS.keys() - {"image_classification"}:
        with pytest.raises(BadConfig, match=f"{task} is not shown in keras") as refused:
            demo_of(task, "keras")
        assert refused.value.next == "modelyard demo --task image_classification --framework keras"


def test_a_project_that_somebody_changed_is_taken_as_it_is(tmp_path):
    shown = demo_of("image_classification", "keras")
    counted = type(shown)(**{**vars(shown), "write": lambda path, rows: rows or 0})
    prepare(counted, tmp_path, 300)
    (tmp_path / "model.py").write_text("# mine\n")
    assert prepare(counted, tmp_path, 300).rows == 300
    assert (tmp_path / "model.py").read_text() == "# mine\n"


def test_a_project_of_another_framework_is_not_taken_for_this_one(tmp_path):
    (tmp_path / "modelyard.yaml").write_text(demo_of("image_classification", "torch").yaml)
    with pytest.raises(BadInput, match=r"there is another project in .*, on digits by torch"):
        prepare(demo_of("image_classification", "keras"), tmp_path, 40)
    assert [path.name for path in tmp_path.iterdir()] == ["modelyard.yaml"]
