"""The stage alone, as a notebook calls it: labels over rows, figures, gates."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.annotate.board import Item, Vote
from modelyard.annotate.guideline import Guideline
from modelyard.annotate.present import item_id
from modelyard.errors import BadInput, GateFailed
from modelyard.fields import Label
from modelyard.run import Run
from modelyard.stages.annotate import AnnotateConfig, Labels, annotate
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, show_row_id
from tests.rows import Heard, column, cut_small, new_run, write_csv

CONFIG = AnnotateConfig(guideline="guideline.yaml", annotators=("anna", "ben"), arbiter="chen")


def texts(folder: Path, count: int) -> tuple[Dataset, Run]:
    run = new_run(folder)
    path = write_csv(folder / "texts.csv", ("text",), [(f"the text of number {n}",) for n in range(count)])
    return ingest(path, IngestConfig(unlabelled=True), Run(store=run.store)), run


def labels_of(dataset: Dataset, answers: list[tuple[str, ...]], names: tuple[str, ...] = ("a", "b", "c")) -> Labels:
    """answers: of each row in order: anna's, ben's and, where there is one, chen's."""
    items = []
    for row_id, said in zip(dataset.read([ROW_ID])[ROW_ID].to_pylist(), answers, strict=True):
        arbiter = Vote("chen", said[2], 1) if len(said) > 2 else None
        votes = (Vote("anna", said[0], 1), Vote("ben", said[1], 1))
        items.append(Item(item_id(show_row_id(row_id)), 1, 1, 2, votes, arbiter))
    guideline = Guideline.model_validate({"name": "g", "labels": list(names)})
    return Labels(guideline, 1, items, {}, "label", "label", Label())


def test_labels_lie_over_the_rows_of_every_part(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_small(monkeypatch, 1, 3)
    dataset, run = texts(tmp_path, 8)
    assert len(dataset.parts) == 3
    said = [("a", "a"), ("b", "b"), ("a", "b", "b"), ("?", "?"), ("a", "a"), ("c", "c"), ("a", "a"), ("b", "b")]
    made = annotate(dataset, labels_of(dataset, said), CONFIG, run)
    assert column(made, "label") == ["a", "b", "b", "a", "c", "a", "b"]
    target = made.the("target", "label")
    assert (target.classes, target.public) == (("a", "b", "c"), "label")
    assert run.details["dropped"] == {"no label can be given": 1}
    assert run.figures["blind_agreement"].value == pytest.approx(7 / 8)
    assert [gate.name for gate in run.gates] == ["resolved_agreement"]


def test_an_arbiter_who_says_a_third_thing_counts_against_resolved_agreement(tmp_path: Path) -> None:
    dataset, run = texts(tmp_path, 10)
    said = [("a", "a")] * 9 + [("a", "b", "c")]
    with pytest.raises(GateFailed) as caught:
        annotate(dataset, labels_of(dataset, said), CONFIG, run)
    assert (caught.value.name, caught.value.value) == ("resolved_agreement", 0.9)
    assert run.figures["resolved_agreement"].how == "10 items, the decision is one that at least one of the pair gave"


def test_with_two_classes_resolved_agreement_is_said_to_show_nothing(tmp_path: Path) -> None:
    dataset, run = texts(tmp_path, 4)
    run.listener = heard = Heard()
    annotate(dataset, labels_of(dataset, [("a", "b", "a")] * 4, ("a", "b")), CONFIG, run)
    assert run.figures["resolved_agreement"].value == 1.0
    assert run.figures["resolved_agreement"].how.endswith("there is hardly another one: it shows nothing")
    assert run.details["two_classes"] is True
    assert any(
        "no gold items: nothing shows where two people are wrong in the same way" in said for said in heard.warned
    )


def test_a_row_without_an_answer_is_no_guess(tmp_path: Path) -> None:
    dataset, run = texts(tmp_path, 4)
    labels = labels_of(dataset, [("a", "a")] * 4)
    short = Labels(labels.guideline, 1, labels.items[:3], {}, "label", "label", Label())
    with pytest.raises(BadInput, match="a row has no label yet"):
        annotate(dataset, short, CONFIG, run)


def test_the_digest_of_labels_follows_who_said_what_and_by_which_guideline(tmp_path: Path) -> None:
    dataset, _ = texts(tmp_path, 2)
    one = labels_of(dataset, [("a", "a"), ("b", "a", "a")])
    same = labels_of(dataset, [("a", "a"), ("b", "a", "a")])
    swapped = labels_of(dataset, [("a", "a"), ("a", "b", "a")])
    other = labels_of(dataset, [("a", "a"), ("b", "a", "a")], ("a", "b"))
    assert one.digest == same.digest
    assert len({one.digest, swapped.digest, other.digest}) == 3
