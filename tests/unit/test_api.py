"""The chain from Python: the same results as from the command line, on plain paths."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

import modelyard as my
from modelyard.cli import group
from modelyard.errors import BadConfig, GateFailed, Waiting
from modelyard.store import Dataset
from tests.annotators import errs, fill
from tests.rows import write_csv
from tests.unit.tiny_bert import reviews


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "reviews.csv"
    path.write_text("text,label\n" + "".join(f"{text},{label}\n" for text, label in reviews(200)))
    return path


def test_stages_chain_on_plain_folders_and_give_what_the_command_line_gives(source: Path, tmp_path: Path) -> None:
    my.clean(source, out=tmp_path / "cleaned")
    sides = my.split(tmp_path / "cleaned", out=tmp_path / "sides", seed=3)
    done = CliRunner().invoke(
        group, ["split", str(tmp_path / "cleaned"), "--out", str(tmp_path / "b"), "--set", "seed=3"]
    )
    assert done.exit_code == 0, done.output
    assert isinstance(sides.made, Dataset)
    assert sides.evidence.info["figures"]["rows_out"]["value"] == 200
    assert (tmp_path / "sides" / "dataset.json").read_bytes() == (tmp_path / "b" / "dataset.json").read_bytes()


def test_a_wrong_setting_is_told_as_in_the_file(source: Path, tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match="unknown key max_droped") as caught:
        my.clean(source, out=tmp_path / "cleaned", max_droped=0.1)
    assert caught.value.next == "did you mean max_dropped?"
    assert not (tmp_path / "cleaned").exists()


def test_a_failed_gate_is_raised_and_nothing_is_written_but_the_evidence(tmp_path: Path) -> None:
    (tmp_path / "twins.csv").write_text("text,label\n" + "the same text,a\n" * 30 + "another one,b\n" * 30)
    with pytest.raises(GateFailed):
        my.clean(tmp_path / "twins.csv", out=tmp_path / "cleaned")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["cleaned.report.json", "twins.csv"]


def test_a_project_runs_in_its_folder_and_is_cached(source: Path, tmp_path: Path) -> None:
    first = my.run_project(source, folder=tmp_path, last="split")
    second = my.run_project(source, folder=tmp_path, last="split")
    assert [stage.outcome for stage in first.stages] == ["done"] * 3
    assert [stage.outcome for stage in second.stages] == ["cached"] * 3


def test_people_label_a_project_and_their_agreement_is_asked_for(tmp_path: Path) -> None:
    truth = dict(reviews(20))
    write_csv(tmp_path / "texts.csv", ("text",), [(text,) for text in truth])
    (tmp_path / "guideline.yaml").write_text("name: mood\nlabels: [negative, positive]\n")
    (tmp_path / "modelyard.yaml").write_text(
        "data: texts.csv\nannotate: {guideline: guideline.yaml, annotators: [anna, ben], arbiter: chen}\n"
    )
    waiting = my.run_project(folder=tmp_path, last="annotate")
    assert (waiting.outcome, isinstance(waiting.error, Waiting)) == ("waiting", True)
    right = errs(truth, 0.0)
    fill(tmp_path / "annotate", {"anna": right, "ben": right})
    files = [tmp_path / "annotate" / name / f"batch-001-{name}.csv" for name in ("anna", "ben")]
    assert [(taken.new, taken.refused) for taken in my.import_labels(*files, folder=tmp_path)] == [(20, []), (20, [])]
    assert my.agreement(folder=tmp_path).figures["blind_agreement"].value == 1.0
    assert my.agreement(*files).figures["cohen_kappa"].value == 1.0
    assert my.run_project(folder=tmp_path, last="annotate").outcome == "done"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = "import sys, modelyard; print(sorted({'torch', 'polars', 'pyarrow', 'pydantic'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
