"""Batches of annotation: in pairs, below the bar and back, opened again, moved to somebody else, gold items in them."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.annotate_verbs import assigned, disagreements, move, opened, reopen
from modelyard.chain.workspace import Workspace
from modelyard.errors import BadConfig, BadInput, GateFailed, Waiting
from modelyard.run import Run
from tests.annotating import RIGHT, TRUTH, as_labels, but, go, labelled, make
from tests.annotators import fill, read_rows, write_rows
from tests.rows import Heard, write_csv


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


def test_a_row_that_was_away_when_its_batch_was_opened_again_is_asked_when_it_is_back(
    tmp_path: Path, workspace: Workspace
) -> None:
    people = {"anna": RIGHT, "ben": RIGHT}
    labelled(make(tmp_path, 20), workspace, people)
    fewer = make(tmp_path, 15)
    assert go(fewer, workspace).outcome == "done"
    reopen(opened(fewer, workspace), 1, Run(workspace.store))
    assert labelled(fewer, workspace, people).outcome == "done"
    project = make(tmp_path, 20)
    back = go(project, workspace)
    assert isinstance(back.error, Waiting)
    assert (back.error.for_whom, back.error.total) == ("anna (15 of 20), ben (15 of 20)", 40)
    chain = labelled(project, workspace, people)
    assert as_labels(chain.stages[-1].output) == dict(list(TRUTH.items())[:20])
    assert {(each.round, each.of) for each in assigned(opened(project, workspace))} == {(2, 15), (2, 5)}


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
