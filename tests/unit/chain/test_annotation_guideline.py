"""The guideline and settings of annotation: versions, labels in use, and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.project import load_project
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadConfig, BadInput
from tests.annotating import LABELS, RIGHT, TRUTH, YAML, go, labelled, make
from tests.rows import write_csv


def test_a_label_in_the_data_that_the_guideline_does_not_have_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    write_csv(tmp_path / "reviews.csv", ("text", "label"), [("the film was fine", "positive"), ("a dull book", "meh")])
    chain = go(project, workspace)
    assert isinstance(chain.error, BadInput)
    assert "'meh', which the guideline does not have" in chain.error.message


def test_a_guideline_that_changes_is_a_new_version_and_each_label_keeps_its_own(
    tmp_path: Path, workspace: Workspace
) -> None:
    project = make(tmp_path, 20)
    labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    (tmp_path / "guideline.yaml").write_text(
        f"name: mood\ntitle: Second thoughts\nlabels: [{', '.join(LABELS)}, mixed]\n"
    )
    write_csv(tmp_path / "reviews.csv", ("text", "source"), [(text, "shop") for text in list(TRUTH)[:30]])
    chain = labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    report = chain.stages[-1].report
    assert report is not None
    guideline = report.info["details"]["guideline"]
    assert guideline["answers_by_version"] == {"1": 40, "2": 20}
    assert report.info["figures"]["guideline_version"]["value"] == 2
    assert (tmp_path / "annotate" / "anna" / "guideline-v2.md").read_text().startswith("# Second thoughts, version 2")
    assert (tmp_path / "annotate" / "anna" / "guideline-v1.md").is_file()


def test_a_label_that_is_in_use_cannot_leave_the_guideline(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    (tmp_path / "guideline.yaml").write_text("name: mood\nlabels: [neutral, positive]\n")
    chain = go(project, workspace)
    assert isinstance(chain.error, BadInput)
    assert "gave the label 'negative', which the guideline does not have any more" in chain.error.message
    # Nothing was written: put back, all is as it was.
    (tmp_path / "guideline.yaml").write_text(f"name: mood\nlabels: [{', '.join(LABELS)}]\n")
    assert [stage.outcome for stage in go(project, workspace).stages] == ["cached"] * 3


def test_a_target_that_no_cell_holds_is_refused_with_the_line(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "modelyard.yaml").write_text("task: detection\n" + YAML)
    from modelyard.chain.preflight import preflight

    with pytest.raises(BadConfig, match="of kind boxes, which is not labelled in a CSV file") as caught:
        preflight(load_project(tmp_path), "annotate")
    assert caught.value.where == "modelyard.yaml, line 4, key annotate"


def test_settings_that_do_not_go_together_are_named(tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(BadConfig, match="must be different people; ben stands twice"):
        make(tmp_path, annotators=["anna", "ben"], arbiter="Ben")
    with pytest.raises(BadConfig, match=r"annotators\.1"):
        make(tmp_path, annotators=["anna", "../ben"])
    project = make(tmp_path, guideline="lost.yaml")
    chain = go(project, workspace)
    assert isinstance(chain.error, BadConfig)
    assert "lost.yaml does not exist" in chain.error.message
