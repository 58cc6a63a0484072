"""Annotation in the chain: it waits for people, keeps what they said, and opens no more than what is new."""

from __future__ import annotations

import csv
import json
from pathlib import Path

from modelyard.chain.annotation import take_file
from modelyard.chain.project import Project
from modelyard.chain.runner import made_before, plan, step_key
from modelyard.chain.steps import ANNOTATE, Inputs
from modelyard.chain.workspace import Workspace
from modelyard.errors import Waiting
from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID
from tests.annotating import RIGHT, TRUTH, as_labels, but, go, labelled, make
from tests.annotators import fill, read_rows, write_rows
from tests.rows import column, write_csv
from tests.unit.tiny_bert import reviews


def test_the_chain_waits_says_for_whom_and_goes_on_when_all_is_filled_in(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    first = go(project, workspace)
    assert (first.outcome, first.error.exit_code if first.error else None) == ("waiting", 0)
    assert isinstance(first.error, Waiting)
    assert first.error.as_waiting() == {
        "for": "labels",
        "whom": "anna (0 of 50), ben (0 of 50)",
        "done": 0,
        "of": 100,
        "next": "fill in the column label of annotate/anna/*.csv, annotate/ben/*.csv, then: modelyard run",
    }
    folder = tmp_path / "annotate"
    fill(folder, {"anna": RIGHT, "ben": but({3: "neutral", 24: "neutral"})})
    second = go(project, workspace)
    assert isinstance(second.error, Waiting)
    assert (second.error.for_whom, second.error.done, second.error.total) == ("chen (0 of 2)", 100, 102)
    assert {row["text"] for path in (folder / "chen").glob("*.csv") for row in read_rows(path)} == {
        list(TRUTH)[3],
        list(TRUTH)[24],
    }
    fill(folder, {"chen": RIGHT})
    third = go(project, workspace)
    assert third.outcome == "done"
    assert as_labels(third.stages[-1].output) == dict(list(TRUTH.items())[:50])
    fourth = go(project, workspace)
    assert [stage.outcome for stage in fourth.stages] == ["cached"] * 3


def test_rows_that_are_added_open_new_work_only_and_old_labels_stay(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 40)
    before = labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    assert before.outcome == "done"
    folder = tmp_path / "annotate"
    kept = {path: path.read_bytes() for path in folder.rglob("*.csv")}
    with (tmp_path / "reviews.csv").open("a", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([(text, "shop") for text in list(TRUTH)[40:47]])
    grown = go(project, workspace)
    assert isinstance(grown.error, Waiting)
    assert (grown.error.done, grown.error.total) == (80, 94)
    new = set(folder.rglob("*.csv")) - kept.keys()
    assert {path.name for path in new} == {"batch-003-anna.csv", "batch-003-ben.csv"}
    assert {path: path.read_bytes() for path in kept} == kept
    fill(folder, {"anna": RIGHT, "ben": RIGHT})
    after = go(project, workspace)
    assert as_labels(after.stages[-1].output) == dict(list(TRUTH.items())[:47])


def test_a_row_keeps_its_side_when_others_are_labelled_later(tmp_path: Path, workspace: Workspace) -> None:
    def sides(project: Project) -> dict[object, object]:
        split = go(project, workspace, "split").stages[-1].output
        assert isinstance(split, Dataset)
        return dict(zip(column(split, "text"), column(split, "split"), strict=True))

    project = make(tmp_path, 100)
    labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    before = sides(project)
    write_csv(tmp_path / "reviews.csv", ("text", "source"), [(text, "shop") for text in list(TRUTH)[:160]])
    labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    after = sides(project)
    assert (len(before), len(after)) == (100, 160)
    assert {text: after[text] for text in before} == before


def test_a_row_that_is_gone_is_asked_of_nobody(tmp_path: Path, workspace: Workspace) -> None:
    go(make(tmp_path, 40), workspace)
    chain = go(make(tmp_path, 30), workspace)
    assert isinstance(chain.error, Waiting)
    assert chain.error.total == 60


def test_every_label_is_traced_to_who_gave_it(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 100)
    chain = labelled(project, workspace, {"anna": RIGHT, "ben": but({4: "neutral"}), "chen": RIGHT})
    dataset = chain.stages[-1].output
    assert isinstance(dataset, Dataset)
    said = {
        text: json.loads(str(votes))
        for text, votes in zip(column(dataset, "text"), column(dataset, "label_votes"), strict=True)
    }
    texts = list(TRUTH)
    assert said[texts[0]] == {
        "batch": 1,
        "round": 1,
        "decided": "agreed",
        "votes": [
            {"annotator": "anna", "label": "negative", "guideline": 1},
            {"annotator": "ben", "label": "negative", "guideline": 1},
        ],
    }
    assert said[texts[4]]["decided"] == "arbiter"
    assert said[texts[4]]["arbiter"] == {"annotator": "chen", "label": "negative", "guideline": 1}
    assert [vote["label"] for vote in said[texts[4]]["votes"]] == ["negative", "neutral"]
    # They go with the row through the split.
    split = go(project, workspace, "split").stages[-1].output
    assert isinstance(split, Dataset)
    assert set(column(split, "label_votes")) == set(column(dataset, "label_votes"))


def test_the_stage_is_handed_the_labels_that_its_key_is_of(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    inputs = Inputs(project, made_before(project, workspace, "clean"), {}, workspace)
    step_key(ANNOTATE, inputs)
    for name in ("anna", "ben"):  # somebody corrects a label between the key and the work
        path = tmp_path / "annotate" / name / f"batch-001-{name}.csv"
        rows = read_rows(path)
        write_rows(path, [row | {"label": "neutral"} for row in rows])
        assert take_file(workspace, "mood", path, project).changed == 10
    made = ANNOTATE.call(inputs, Run(workspace.store, key="handed"))
    assert as_labels(made) == dict(list(TRUTH.items())[:10])


def test_what_nobody_can_label_is_left_out_with_its_reason(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    chain = labelled(project, workspace, {"anna": but({1: "?"}), "ben": but({1: "？"})})
    assert list(TRUTH)[1] not in as_labels(chain.stages[-1].output)
    report = chain.stages[-1].report
    assert report is not None
    assert report.info["details"]["dropped"] == {"no label can be given": 1}
    assert report.info["figures"]["rows_out"]["value"] == 9


def test_rows_that_came_with_a_label_keep_it_and_are_asked_of_nobody(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    texts = list(TRUTH)
    write_csv(
        tmp_path / "reviews.csv", ("text", "label"), [(t, TRUTH[t] if n < 6 else "") for n, t in enumerate(texts[:20])]
    )
    first = go(project, workspace)
    assert isinstance(first.error, Waiting)
    assert first.error.total == 28
    chain = labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    assert as_labels(chain.stages[-1].output) == dict(list(TRUTH.items())[:20])
    dataset = chain.stages[-1].output
    assert isinstance(dataset, Dataset)
    assert column(dataset, "label_votes").count(None) == 6
    assert dataset.the("target", "label").classes == ("negative", "positive")


def test_an_answer_in_another_order_of_events_gives_the_same_dataset(tmp_path: Path) -> None:
    digests = []
    for name, people in (("one", ("anna", "ben")), ("two", ("ben", "anna"))):
        (tmp_path / name).mkdir()
        place = Workspace(tmp_path / name / ".modelyard")
        project = make(tmp_path / name, 30)
        go(project, place)
        for person in people:
            fill(tmp_path / name / "annotate", {person: RIGHT})
            chain = go(project, place)
        digests.append(chain.stages[-1].output.digest if chain.stages[-1].output else None)
        place.close()
    assert digests[0] == digests[1] is not None


def test_a_dry_run_opens_nothing(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    go(project, workspace, "clean")
    assert plan(project, workspace, "split") == [
        ("ingest", "cached"), ("clean", "cached"), ("annotate", "run"), ("split", "run"),
    ]  # fmt: skip
    assert not (tmp_path / "annotate").exists()
    assert set(made_before(project, workspace, "clean")) == {"ingest", "clean"}


def test_where_all_rows_have_a_label_nobody_is_asked(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    write_csv(tmp_path / "reviews.csv", ("text", "label"), reviews(20))
    chain = go(project, workspace)
    assert chain.outcome == "done"
    assert not (tmp_path / "annotate").exists()


def test_the_rows_of_a_dataset_keep_their_ids_in_the_files(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    dataset = made_before(project, workspace, "clean")["clean"]
    assert isinstance(dataset, Dataset)
    ids = {f"i{bytes(row_id)[:16].hex()}" for row_id in dataset.read([ROW_ID])[ROW_ID].to_pylist()}
    assert {row["id"] for row in read_rows(tmp_path / "annotate" / "ben" / "batch-001-ben.csv")} == ids
