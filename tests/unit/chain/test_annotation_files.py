"""Work files of annotation: what they show, lost ones, half of one, corrections, and files from elsewhere."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from modelyard.annotate.records import load, said_by
from modelyard.chain.annotate_verbs import disagreements, opened
from modelyard.chain.annotation import take_file
from modelyard.chain.project import load_project
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadInput, Waiting
from tests.annotating import RIGHT, TRUTH, as_labels, but, go, labelled, make
from tests.annotators import fill, read_rows, write_rows
from tests.rows import Heard, write_csv


def test_a_work_file_tells_nothing_of_others_and_names_the_guideline_beside_it(
    tmp_path: Path, workspace: Workspace
) -> None:
    go(make(tmp_path, 20, gold=5), workspace)
    folder = tmp_path / "annotate"
    files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.*"))
    assert files == [
        "anna/batch-001-anna.csv", "anna/guideline-v1.md", "ben/batch-001-ben.csv", "ben/guideline-v1.md",
    ]  # fmt: skip
    anna, ben = (read_rows(folder / name / f"batch-001-{name}.csv") for name in ("anna", "ben"))
    assert list(anna[0]) == ["id", "text", "label", "comment", "work", "guideline"]
    assert {row["id"] for row in anna} == {row["id"] for row in ben}
    # Gold items are among them, as any other row, and each person has an order of their own.
    assert len(anna) == 25
    assert {row["label"] for row in anna} == {""}
    assert [row["id"] for row in anna] != [row["id"] for row in ben]
    assert {row["guideline"] for row in anna} == {"guideline-v1.md"}
    assert "source" not in anna[0]


def test_a_person_may_correct_and_the_last_word_counts(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    for name in ("anna", "ben"):
        path = tmp_path / "annotate" / name / f"batch-001-{name}.csv"
        rows = read_rows(path)
        for row in rows:
            row["label"] = "neutral" if row["text"] == list(TRUTH)[2] else row["label"]
        write_rows(path, rows)
    chain = go(project, workspace)
    assert as_labels(chain.stages[-1].output)[list(TRUTH)[2]] == "neutral"
    with workspace.ledger.reading() as connection:
        votes = connection.exec_driver_sql("SELECT count(*) FROM annotation_votes").scalar_one()
    assert votes == 22  # nothing was overwritten


def test_a_file_that_is_lost_is_written_again_with_what_was_taken(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    folder = tmp_path / "annotate"
    fill(folder, {"anna": RIGHT}, most=4)
    go(project, workspace)
    path = folder / "anna" / "batch-001-anna.csv"
    path.unlink()
    go(project, workspace)
    assert sum(bool(row["label"]) for row in read_rows(path)) == 4


def test_a_file_that_is_written_again_shows_the_rows_as_they_are_now_and_is_taken(
    tmp_path: Path, workspace: Workspace
) -> None:
    make(tmp_path)
    texts = {f"{text} \x07": label for text, label in list(TRUTH.items())[:10]}
    write_csv(tmp_path / "reviews.csv", ("text",), [(text,) for text in texts])
    rough = load_project(tmp_path, settings={"clean": {"rules": ["exact_duplicates"]}})
    go(rough, workspace)
    paths = [tmp_path / "annotate" / name / f"batch-001-{name}.csv" for name in ("anna", "ben")]
    assert all("\x07" in row["text"] for row in read_rows(paths[0]))
    paths[0].unlink()
    go(load_project(tmp_path), workspace)  # with the rules of cleaning that there usually are
    assert not any("\x07" in row["text"] for row in read_rows(paths[0]))
    for path in paths:
        rows = read_rows(path)
        for row in rows:
            row["label"] = TRUTH[row["text"].replace("\x07", "").strip()]
        write_rows(path, rows)
    assert go(load_project(tmp_path), workspace).outcome == "done"


def test_half_a_file_is_taken_and_the_rest_is_waited_for(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    path = tmp_path / "annotate" / "anna" / "batch-001-anna.csv"
    rows = read_rows(path)
    rows[0]["label"], rows[1]["label"] = "positive", "positve"
    write_rows(path, rows)
    heard = Heard()
    chain = go(project, workspace, heard=heard)
    assert isinstance(chain.error, Waiting)
    assert chain.error.for_whom == "anna (1 of 10), ben (0 of 10)"
    assert (
        "batch-001-anna.csv, line 3: not taken: 'positve' is no label of the guideline; did you mean positive?"
        in heard.warned
    )


def test_an_imported_file_may_come_from_anywhere_and_twice(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    fill(tmp_path / "annotate", {"anna": RIGHT})
    sent = (tmp_path / "annotate" / "anna" / "batch-001-anna.csv").rename(tmp_path / "from the mail (2).csv")
    first, second = (take_file(workspace, "mood", sent, project) for _ in range(2))
    assert (first.new, first.same) == (10, 0)
    assert (second.new, second.same) == (0, 10)


@pytest.mark.parametrize("name", ["corrected.csv", "mail/batch-001-anna.csv"])
def test_a_correction_that_came_by_another_file_is_not_undone_by_the_first_one(
    tmp_path: Path, workspace: Workspace, name: str
) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    fill(tmp_path / "annotate", {"anna": RIGHT, "ben": RIGHT})
    go(project, workspace)
    path = tmp_path / "annotate" / "anna" / "batch-001-anna.csv"
    rows, sent = read_rows(path), tmp_path / name
    sent.parent.mkdir(exist_ok=True)
    rows[0]["label"] = "neutral"
    write_rows(sent, rows)
    taken = take_file(workspace, "mood", sent, project)
    assert (taken.new, taken.changed, taken.same) == (1, 1, 9)
    for label in ("", "positive"):  # the file in the folder still says what it said; then one more row of it changes
        rows = read_rows(path)
        rows[1]["label"] = label or rows[1]["label"]
        write_rows(path, rows)
        go(project, workspace)
        votes = opened(project, workspace).board().votes
        assert votes["batch-001-anna", rows[0]["id"]] == "neutral"
    assert votes["batch-001-anna", rows[1]["id"]] == "positive"


def test_a_comment_that_is_written_later_than_the_label_is_kept(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    folder = tmp_path / "annotate"
    fill(folder, {"anna": RIGHT, "ben": but({2: "neutral"})})
    go(project, workspace)
    path = folder / "ben" / "batch-001-ben.csv"
    rows = read_rows(path)
    for row in rows:
        row["comment"] = "torn" if row["label"] == "neutral" else ""
    write_rows(path, rows)
    for _ in range(2):
        go(project, workspace)
    (torn,) = disagreements(opened(project, workspace))
    assert torn["comments"] == {"ben": "torn"}
    with workspace.ledger.reading() as connection:
        votes = connection.exec_driver_sql("SELECT count(*) FROM annotation_votes").scalar_one()
    assert votes == 21


def test_a_file_may_name_more_works_that_there_are_not_than_a_statement_takes(
    tmp_path: Path, workspace: Workspace
) -> None:
    go(make(tmp_path, 10), workspace)
    named = {"batch-001-anna", *(f"batch-{number}-anna" for number in range(200))}
    with workspace.ledger.reading() as connection:
        driver = connection.connection.driver_connection
        assert driver is not None
        driver.setlimit(sqlite3.SQLITE_LIMIT_VARIABLE_NUMBER, 100)
        board = load(connection, "mood", named)
        assert len(board.tasks["batch-001-anna"]) == 10
        assert said_by(connection, board, "log.csv", named) == {}


def test_one_file_that_cannot_be_read_keeps_no_other_from_being_taken(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    fill(tmp_path / "annotate", {"ben": RIGHT})
    (tmp_path / "annotate" / "anna" / "batch-001-anna.csv").write_bytes(b"PK\x03\x04 a workbook")
    chain = go(project, workspace)
    assert isinstance(chain.error, BadInput)
    assert chain.error.next == "save it as `CSV UTF-8`"
    assert len(opened(project, workspace).board().votes) == 10
