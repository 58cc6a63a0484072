"""Annotation in the chain: it waits for people, keeps what they said, and opens no more than what is new."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from modelyard.chain.annotate_verbs import assigned, disagreements, move, opened, reopen
from modelyard.chain.annotation import take_file
from modelyard.chain.project import Project, load_project
from modelyard.chain.runner import ChainOutcome, made_before, plan, run_chain
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadConfig, BadInput, GateFailed, Waiting
from modelyard.run import Run
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID
from tests.annotators import Answer, errs, fill, read_rows, write_rows
from tests.rows import Heard, column, write_csv
from tests.unit.tiny_bert import reviews

LABELS = ("negative", "neutral", "positive")
TRUTH = dict(reviews(400))
RIGHT = errs(TRUTH, 0.0)
YAML = """\
data: reviews.csv
name: mood
annotate:
  guideline: guideline.yaml
  annotators: [anna, ben]
  arbiter: chen
  batch_size: 20
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Iterator[Workspace]:
    place = Workspace(tmp_path / ".modelyard")
    yield place
    place.close()


def make(folder: Path, rows: int = 50, gold: int = 0, **settings: object) -> Project:
    """A project of reviews without labels; the gold items come from behind them."""
    texts = list(TRUTH)
    write_csv(folder / "reviews.csv", ("text", "source"), [(text, "shop") for text in texts[:rows]])
    if gold:
        write_csv(folder / "gold.csv", ("text", "label"), [(text, TRUTH[text]) for text in texts[-gold:]])
        settings["gold"] = "gold.csv"
    (folder / "guideline.yaml").write_text(f"name: mood\nlabels: [{', '.join(LABELS)}]\n")
    (folder / "modelyard.yaml").write_text(YAML)
    return load_project(folder, settings={"annotate": settings})


def go(project: Project, workspace: Workspace, last: str = "annotate", heard: Heard | None = None) -> ChainOutcome:
    return run_chain(project, workspace, heard or Heard(), last=last)


def labelled(project: Project, workspace: Workspace, people: Mapping[str, Answer], rounds: int = 4) -> ChainOutcome:
    """People fill in what is open until the chain goes on."""
    for _ in range(rounds):
        chain = go(project, workspace)
        if chain.outcome != "waiting":
            return chain
        fill(project.beside("annotate"), people)
    return go(project, workspace)


def but(wrong: Mapping[int, str]) -> Answer:
    """Right, but for the reviews of these numbers."""
    texts = list(TRUTH)
    others = {texts[number]: label for number, label in wrong.items()}
    return lambda text, stem: others.get(text) or TRUTH[text]


def as_labels(dataset: object) -> dict[object, object]:
    assert isinstance(dataset, Dataset)
    return dict(zip(column(dataset, "text"), column(dataset, "label"), strict=True))


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


def test_a_label_in_the_data_that_the_guideline_does_not_have_is_refused(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    write_csv(tmp_path / "reviews.csv", ("text", "label"), [("the film was fine", "positive"), ("a dull book", "meh")])
    chain = go(project, workspace)
    assert isinstance(chain.error, BadInput)
    assert "'meh', which the guideline does not have" in chain.error.message


def test_a_batch_below_the_bar_goes_back_and_the_second_round_counts(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 40, gate="blind", bar=0.9)
    go(project, workspace)
    folder, heard = tmp_path / "annotate", Heard()
    careless = but(dict.fromkeys((0, 3, 7), "neutral"))
    fill(folder, {"anna": RIGHT, "ben": careless})
    go(project, workspace)
    fill(folder, {"chen": RIGHT})
    back = go(project, workspace, heard=heard)
    assert isinstance(back.error, Waiting)
    said = "batch 1 goes back: blind agreement 0.850 of 20, the bar is 0.9; round 2 of 2 is open"
    assert said in heard.said
    assert {path.name for path in folder.rglob("*round-2.csv")} == {
        "batch-001-anna-round-2.csv", "batch-001-ben-round-2.csv",
    }  # fmt: skip
    # Blind again: what they said before does not stand there.
    assert {row["label"] for row in read_rows(folder / "ben" / "batch-001-ben-round-2.csv")} == {""}
    fill(folder, {"anna": RIGHT, "ben": RIGHT})
    chain = go(project, workspace)
    assert chain.outcome == "done"
    report = chain.stages[-1].report
    assert report is not None
    assert [(row["batch"], row["round"], row["blind"]) for row in report.info["details"]["per_batch"]] == [
        (1, 2, 1.0),
        (2, 1, 1.0),
    ]


def test_after_the_last_round_the_gate_fails_and_names_the_batch(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 20, gate="blind", rounds=1)
    chain = labelled(project, workspace, {"anna": RIGHT, "ben": but({0: "neutral", 5: "neutral"}), "chen": RIGHT})
    assert isinstance(chain.error, GateFailed)
    assert (chain.error.name, chain.error.value, chain.error.bar) == ("blind_agreement", 0.9, 0.95)
    assert "batches below the bar: 1 (blind agreement 0.900 of 20)" in str(chain.error.next)
    assert chain.stages[-1].report is not None  # the evidence of the failure is kept
    # The same labels under the default gate: an arbiter who says what one of the pair said.
    passed = go(make(tmp_path, 20, rounds=1), workspace)
    assert passed.outcome == "done"


def test_gold_items_show_what_two_people_get_wrong_alike_and_are_no_rows(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 20, gold=10, rounds=1)
    wrong = dict.fromkeys(range(390, 392), "neutral")
    chain = labelled(project, workspace, {"anna": but(wrong), "ben": but(wrong)})
    assert isinstance(chain.error, GateFailed)
    assert (chain.error.name, chain.error.value) == ("gold_accuracy", 0.8)
    passed = go(make(tmp_path, 20, gold=10, rounds=1, bar=0.8), workspace)
    assert passed.outcome == "done"
    assert as_labels(passed.stages[-1].output) == dict(list(TRUTH.items())[:20])
    report = passed.stages[-1].report
    assert report is not None
    assert [(gate["name"], gate["value"]) for gate in report.info["gates"]] == [
        ("resolved_agreement", 1.0),
        ("gold_accuracy", 0.8),
    ]


def test_a_row_that_is_gold_gets_its_known_label(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 20, gold=1, rounds=1, bar=0.0)
    known = list(TRUTH)[7]
    write_csv(tmp_path / "gold.csv", ("text", "label"), [(known, "neutral")])
    chain = labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    assert as_labels(chain.stages[-1].output)[known] == "neutral"


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


def test_what_one_has_not_answered_goes_to_another_and_the_answers_stay(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 20)
    go(project, workspace)
    folder = tmp_path / "annotate"
    fill(folder, {"anna": RIGHT}, most=8)  # and no run takes them in before
    annotation = opened(project, workspace)
    count, written = move(annotation, 1, "anna", "dora", Run(workspace.store))
    assert (count, [path.name for path in written]) == (12, ["batch-001-dora.csv"])
    assert {(each.annotator, each.done, each.of) for each in assigned(annotation)} == {
        ("anna", 8, 8), ("ben", 0, 20), ("dora", 0, 12),
    }  # fmt: skip
    with pytest.raises(BadInput, match="ben has items of batch 1 already"):
        move(annotation, 1, "dora", "ben", Run(workspace.store))
    with pytest.raises(BadConfig, match="must be different people"):
        move(annotation, 1, "dora", "chen", Run(workspace.store))
    fill(folder, {"ben": RIGHT, "dora": RIGHT})
    assert go(project, workspace).outcome == "done"


def test_three_people_take_turns_in_pairs(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 40, annotators=["anna", "ben", "dora"], batch_size=10)
    go(project, workspace)
    pairs = {}
    for each in assigned(opened(project, workspace)):
        pairs.setdefault(each.batch, []).append(each.annotator)
    assert pairs == {1: ["anna", "ben"], 2: ["anna", "dora"], 3: ["ben", "dora"], 4: ["anna", "ben"]}


def test_a_batch_is_opened_again_by_hand(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 20)
    labelled(project, workspace, {"anna": RIGHT, "ben": but({2: "neutral"}), "chen": RIGHT})
    annotation = opened(project, workspace)
    (torn,) = disagreements(annotation)
    assert torn["votes"] == {"anna": "negative", "ben": "neutral"}
    assert torn["arbiter"] == "negative"
    assert [path.name for path in reopen(annotation, 1, Run(workspace.store))] == [
        "batch-001-anna-round-2.csv",
        "batch-001-ben-round-2.csv",
    ]
    assert go(project, workspace).outcome == "waiting"
    # What is said in a file of the round before comes too late, and is told so.
    path = tmp_path / "annotate" / "ben" / "batch-001-ben.csv"
    rows = read_rows(path)
    rows[0]["label"] = "positive" if rows[0]["label"] == "negative" else "negative"
    write_rows(path, rows)
    heard = Heard()
    go(project, workspace, heard=heard)
    assert (
        "batch-001-ben.csv, line 2: not taken: batch 1 is in round 2, and this file is of an earlier one"
        in heard.warned
    )
    with pytest.raises(BadInput, match="there is no batch 9"):
        reopen(annotation, 9, Run(workspace.store))


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


def test_a_dry_run_opens_nothing(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    go(project, workspace, "clean")
    assert plan(project, workspace, "split") == [
        ("ingest", "cached"), ("clean", "cached"), ("annotate", "run"), ("split", "run"),
    ]  # fmt: skip
    assert not (tmp_path / "annotate").exists()
    assert set(made_before(project, workspace, "clean")) == {"ingest", "clean"}


def test_an_imported_file_may_come_from_anywhere_and_twice(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    fill(tmp_path / "annotate", {"anna": RIGHT})
    sent = (tmp_path / "annotate" / "anna" / "batch-001-anna.csv").rename(tmp_path / "from the mail (2).csv")
    first, second = (take_file(workspace, "mood", sent, project) for _ in range(2))
    assert (first.new, first.same) == (10, 0)
    assert (second.new, second.same) == (0, 10)


def test_a_correction_that_came_by_another_file_is_not_undone_by_the_first_one(
    tmp_path: Path, workspace: Workspace
) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    fill(tmp_path / "annotate", {"anna": RIGHT, "ben": RIGHT})
    go(project, workspace)
    path = tmp_path / "annotate" / "anna" / "batch-001-anna.csv"
    rows, sent = read_rows(path), tmp_path / "corrected.csv"
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


def test_one_file_that_cannot_be_read_keeps_no_other_from_being_taken(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    fill(tmp_path / "annotate", {"ben": RIGHT})
    (tmp_path / "annotate" / "anna" / "batch-001-anna.csv").write_bytes(b"PK\x03\x04 a workbook")
    chain = go(project, workspace)
    assert isinstance(chain.error, BadInput)
    assert chain.error.next == "save it as `CSV UTF-8`"
    assert len(opened(project, workspace).board().votes) == 10


def test_where_all_rows_have_a_label_nobody_is_asked(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path)
    write_csv(tmp_path / "reviews.csv", ("text", "label"), reviews(20))
    chain = go(project, workspace)
    assert chain.outcome == "done"
    assert not (tmp_path / "annotate").exists()


def test_a_gold_item_without_a_label_is_named_by_its_line(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10, gold=2)
    write_csv(
        tmp_path / "gold.csv", ("text", "label"), [(f"gold number {n}", "positive" if n else "") for n in range(20)]
    )
    chain = go(project, workspace)
    assert isinstance(chain.error, BadInput)
    assert "no label" in chain.error.message
    assert chain.error.where == "gold.csv, line 2"


def test_gold_items_that_come_late_make_a_batch_of_their_own(tmp_path: Path, workspace: Workspace) -> None:
    labelled(make(tmp_path, 40), workspace, {"anna": RIGHT, "ben": RIGHT})
    project = make(tmp_path, 40, gold=30, gold_per_batch=5)
    waiting = go(project, workspace)
    assert isinstance(waiting.error, Waiting)
    assert (waiting.error.done, waiting.error.total) == (80, 100)
    chain = labelled(project, workspace, {"anna": RIGHT, "ben": RIGHT})
    assert (chain.outcome, len(as_labels(chain.stages[-1].output))) == ("done", 40)
    report = chain.stages[-1].report
    assert report is not None
    assert report.info["figures"]["gold_accuracy"] | {"interval": None} == {
        "value": 1.0, "how": "10 hidden items with a known label, the decision of the people", "unit": "share",
        "interval": None,
    }  # fmt: skip


def test_gold_items_that_contradict_each_other_are_refused(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10, gold=2)
    text = list(TRUTH)[399]
    write_csv(tmp_path / "gold.csv", ("text", "label"), [(text, "positive"), (text, "positive"), (text, "negative")])
    chain = go(project, workspace)
    assert isinstance(chain.error, BadInput)
    assert "the gold items say 'positive' and 'negative' of one and the same" in chain.error.message


def test_the_rows_of_a_dataset_keep_their_ids_in_the_files(tmp_path: Path, workspace: Workspace) -> None:
    project = make(tmp_path, 10)
    go(project, workspace)
    dataset = made_before(project, workspace, "clean")["clean"]
    assert isinstance(dataset, Dataset)
    ids = {f"i{bytes(row_id)[:16].hex()}" for row_id in dataset.read([ROW_ID])[ROW_ID].to_pylist()}
    assert {row["id"] for row in read_rows(tmp_path / "annotate" / "ben" / "batch-001-ben.csv")} == ids
