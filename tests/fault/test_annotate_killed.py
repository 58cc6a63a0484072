"""kill -9 while labels are taken in or the stage runs: what was acknowledged is there, and the end is the same."""

from __future__ import annotations

import random
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.annotators import errs, fill, read_rows
from tests.fault.project import Ended, modelyard, run, stopped_by, wrong_objects
from tests.rows import write_csv
from tests.unit.tiny_bert import reviews

pytestmark = pytest.mark.e2e

TRUTH = dict(reviews(240))
YAML = """\
data: texts.csv
name: mood
annotate: {guideline: guideline.yaml, annotators: [anna, ben], arbiter: chen, batch_size: 60}
"""
PEOPLE = {"anna": errs(TRUTH, 0.02), "ben": errs(TRUTH, 0.05), "chen": errs(TRUTH, 0.0)}


def make(folder: Path) -> tuple[Path, Path]:
    """A project of 200 texts without labels, and where its workspace is to be."""
    folder.mkdir(exist_ok=True)
    write_csv(folder / "texts.csv", ("text",), [(text,) for text in list(TRUTH)[:200]])
    (folder / "guideline.yaml").write_text("name: mood\nlabels: [negative, positive]\n")
    (folder / "modelyard.yaml").write_text(YAML)
    return folder, folder / ".modelyard"


def to_the_end(project: Path, workspace: Path) -> Ended:
    for _ in range(4):
        ended = run(project, workspace, "--to", "split")
        if ended.json["outcome"] != "waiting":
            return ended
        fill(project / "annotate", PEOPLE)
    raise AssertionError(ended.stderr)


def votes_of(workspace: Path) -> dict[int, int]:
    """Import to its answers; asserts that every import holds as many as it said."""
    with sqlite3.connect(workspace / "ledger.db") as database:
        said = dict(database.execute("SELECT id, taken FROM annotation_imports"))
        found = dict(database.execute("SELECT import_id, count(*) FROM annotation_votes GROUP BY import_id"))
    database.close()
    assert {number: count for number, count in said.items() if count} == found
    return found


@pytest.fixture(scope="module")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    ended = to_the_end(*make(tmp_path_factory.mktemp("unbroken") / "project"))
    assert ended.code == 0, ended.stderr
    return ended.digests(("annotate", "split"))


def test_runs_that_are_killed_again_and_again_lose_no_label_and_end_in_the_same_dataset(
    tmp_path: Path, unbroken: dict[str, str]
) -> None:
    project, workspace = make(tmp_path / "project")
    chance = random.Random(7)
    known = 0
    for _ in range(4):
        stopped_by(
            signal.SIGKILL, project, workspace, chance.uniform(0.0, 0.8), after="clean", arguments=("--to", "split")
        )
        fill(project / "annotate", PEOPLE, most=25) if (project / "annotate").exists() else 0
        there = sum(votes_of(workspace).values())
        assert there >= known
        known = there
        assert wrong_objects(workspace) == []
    ended = to_the_end(project, workspace)
    assert ended.digests(("annotate", "split")) == unbroken
    # Each label once: what a killed run had taken was known to the next.
    assert sum(votes_of(workspace).values()) == sum(
        bool(row["label"]) for path in (project / "annotate").rglob("*.csv") for row in read_rows(path)
    )


def test_an_import_that_is_killed_took_all_of_a_file_or_nothing(tmp_path: Path) -> None:
    project, workspace = make(tmp_path / "project")
    run(project, workspace, "--to", "split")
    fill(project / "annotate", {"anna": PEOPLE["anna"], "ben": PEOPLE["ben"]})
    files = sorted(str(path) for path in (project / "annotate").rglob("*.csv"))
    chance = random.Random(11)
    for _ in range(3):
        process = subprocess.Popen(
            [sys.executable, "-m", "modelyard", "annotate", "import", *files, "--workspace", str(workspace)],
            cwd=project, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        time.sleep(chance.uniform(0.4, 2.5))
        process.kill()
        process.wait()
        assert set(votes_of(workspace).values()) <= {60, 20}
    ended = modelyard(project, workspace, "annotate", "import", *files)
    assert (ended.code, ended.json["refused_count"]) == (0, 0)
    assert sum(votes_of(workspace).values()) == 400
