"""Tables of pairs: which column is read and which is written, and that `target` alone says nothing."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import pytest

from modelyard.errors import BadInput
from modelyard.stages.ingest import IngestConfig, ingest, peek, task_of_source
from tests.rows import new_run

PAIRS = [(f"delete the volume {word}", f"删除卷{word}") for word in ("a", "b", "c", "d", "e", "f")]


def table(folder: Path, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Path:
    path = folder / "pairs.csv"
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([names, *rows])
    return path


@pytest.mark.parametrize(
    ("read", "written"), [("source", "target"), ("en", "zh"), ("src", "tgt"), ("英文", "中文"), ("Text", "translation")]
)
def test_the_names_that_people_give_are_known(tmp_path: Path, read: str, written: str) -> None:
    seen = peek(table(tmp_path, (read, written), PAIRS), IngestConfig(task="seq2seq"))
    assert {public: found.column for public, found in seen.found.items()} == {"text": read, "target": written}


def test_which_is_which_is_never_guessed_by_content(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no column looks like the text"):
        peek(table(tmp_path, ("one", "other"), PAIRS), IngestConfig(task="seq2seq"))


def test_texts_in_target_say_that_texts_are_written(tmp_path: Path) -> None:
    assert task_of_source(table(tmp_path, ("text", "target"), PAIRS), IngestConfig()) == "seq2seq"


@pytest.mark.parametrize("targets", ["010101", ["positive", "negative"] * 3, ["1.5", "2.25", "3.5", "4", "5", "6"]])
def test_classes_and_numbers_in_target_do_not(tmp_path: Path, targets: Sequence[str]) -> None:
    rows = [(source, target) for (source, _), target in zip(PAIRS, targets, strict=True)]
    assert task_of_source(table(tmp_path, ("text", "target"), rows), IngestConfig()) is None


def test_a_source_beside_a_text_and_a_label_stays_what_it_was(tmp_path: Path) -> None:
    rows = [(source, "web", label) for (source, _), label in zip(PAIRS, "ababab", strict=True)]
    seen = peek(table(tmp_path, ("review", "source", "label"), rows), IngestConfig())
    assert seen.found["text"].column == "review"


def test_a_pair_without_its_target_is_set_aside(tmp_path: Path) -> None:
    rows = [*PAIRS * 3, ("a source alone", " ")]
    data = ingest(table(tmp_path, ("text", "target"), rows), IngestConfig(task="seq2seq"), new_run(tmp_path / "store"))
    assert data.read(["text"]).num_rows == 18
    assert [(column.name, column.role, column.field) for column in data.columns][:2] == [
        ("text", "input", "text"),
        ("target", "target", "text"),
    ]
