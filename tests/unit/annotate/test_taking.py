"""What people filled in is taken in, whatever a spreadsheet made of the file; what cannot be is named by its line."""

from __future__ import annotations

import csv
import io
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from modelyard.annotate.board import BLIND, Board, Work
from modelyard.annotate.present import Present, _cell, digest_of, item_id
from modelyard.annotate.taking import Taken, take
from modelyard.annotate.work_files import table
from modelyard.chain.filled_files import read_filled
from modelyard.errors import BadInput
from modelyard.fields import FIELDS, Label
from modelyard.stages.ingest.batch import RawBatch, Source
from modelyard.stages.ingest.text_files.delimited import open_delimited

LABELS = ("positive", "negative", "NA", "中立")
WORK = "batch-001-anna"


def board_of(texts: list[str]) -> tuple[Board, Present]:
    """One file of one person, with these texts in it."""
    cells = {item_id(f"{n:032x}"): (_cell(FIELDS["text"], text, "", "text"),) for n, text in enumerate(texts)}
    present = Present(("text",), dict.fromkeys(cells), {}, cells)
    work = Work(WORK, 1, 1, "anna", BLIND, 1, ("text",))
    tasks = {WORK: {item: digest_of(cell) for item, cell in cells.items()}}
    return Board("mood", 1, "d", LABELS, dict.fromkeys(cells, 1), {WORK: work}, tasks), present


def rows_of(board: Board, present: Present) -> list[list[str]]:
    """The cells of the file as it is written, header first."""
    written = table(board.works[WORK], list(present.cells), board, present)
    return list(csv.reader(io.StringIO(written.decode("utf-8-sig"), newline="")))


def saved(folder: Path, rows: list[list[str]], encoding: str = "utf-8-sig", delimiter: str = ",") -> Path:
    """The file as a spreadsheet saves it."""
    path = folder / f"{WORK}.csv"
    with path.open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    return path


def taken_of(board: Board, path: Path) -> Taken:
    return take(board, read_filled(path), Label(), {})


def reasons(taken: Taken) -> list[tuple[int, str]]:
    return [(each.line, each.reason) for each in taken.refused]


TEXTS = st.lists(
    st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\x00"), min_size=1, max_size=60).filter(
        lambda text: bool(text.strip())
    ),
    min_size=1,
    max_size=8,
)


@given(TEXTS, st.data())
@example(["=1+1", "-- a\r\nb", 'say "no"', "a;b;c", "\ta\tb", "'quoted'", "@home", "\u2028line", "x\x85y"], None)
def test_what_is_written_and_filled_in_is_what_is_taken(texts: list[str], data: st.DataObject | None) -> None:
    board, present = board_of(texts)
    rows = rows_of(board, present)
    for row in rows[1:]:
        row[2] = LABELS[0] if data is None else data.draw(st.sampled_from(LABELS))
        row[3] = "" if data is None else data.draw(st.sampled_from(("", 'why, indeed; "so"', "\n")))
    encoding, delimiter = (
        ("utf-8-sig", ",")
        if data is None
        else data.draw(
            st.sampled_from([("utf-8-sig", ","), ("utf-8", ","), ("utf-8-sig", ";"), ("utf-16", "\t"), ("utf-8", "\t")])
        )
    )
    with tempfile.TemporaryDirectory() as folder:
        taken = taken_of(board, saved(Path(folder), rows, encoding, delimiter))
    assert reasons(taken) == []
    assert {item: label for (_, item), (label, _) in taken.said.items()} == {row[0]: row[2] for row in rows[1:]}
    assert {item: said for (_, item), (_, said) in taken.said.items()} == {
        row[0]: row[3].strip() or None for row in rows[1:]
    }


def test_no_cell_begins_as_a_formula() -> None:
    board, present = board_of(["=HYPERLINK(1)", "+1", "-1", "@a", "plain", "'quoted"])
    assert [row[1] for row in rows_of(board, present)[1:]] == [
        "'=HYPERLINK(1)", "'+1", "'-1", "'@a", "plain", "'quoted",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("encoding", "delimiter"), [("gb18030", ","), ("gb18030", ";"), ("utf-16", "\t"), ("utf-8", ";")]
)
def test_chinese_comes_back_from_the_encodings_of_spreadsheets(tmp_path: Path, encoding: str, delimiter: str) -> None:
    board, present = board_of(["这部电影很好看，值得一看。", "不怎么样；浪费时间。", "一般般。"])
    rows = rows_of(board, present)
    for row, label in zip(rows[1:], ("positive", "NEGATIVE", "中立"), strict=True):
        row[2] = label
    taken = taken_of(board, saved(tmp_path, rows, encoding, delimiter))
    assert reasons(taken) == []
    assert [label for label, _ in taken.said.values()] == ["positive", "negative", "中立"]


def test_every_row_that_cannot_be_taken_is_named_with_its_line_and_the_others_are_taken(tmp_path: Path) -> None:
    board, present = board_of([f"text {n}" for n in range(8)])
    rows = rows_of(board, present)
    for row in rows[1:]:
        row[2] = "positive"
    rows[1][2] = "postive"
    rows[2][0] = "i00"
    rows[3][1] = "text 2, but changed"
    rows[4][4] = "batch-001-ann"
    rows[6][0] = rows[5][0]
    rows[7][2] = ""
    taken = taken_of(board, saved(tmp_path, rows))
    assert reasons(taken) == [
        (2, "'postive' is no label of the guideline; did you mean positive?"),
        (3, "the id 'i00' is not in batch-001-anna, or somebody else has it now"),
        (
            4,
            "text: not what was given out, so that the label may be of something else; a spreadsheet may have changed "
            "it (save as CSV UTF-8)",
        ),
        (5, "there is no work 'batch-001-ann'; did you mean batch-001-anna?"),
        (6, f"the id {rows[5][0]} stands 2 times: none of these rows is taken"),
        (7, f"the id {rows[5][0]} stands 2 times: none of these rows is taken"),
    ]
    assert (len(taken.said), taken.empty) == (1, 1)


def test_a_broken_line_is_named_and_the_others_are_taken(tmp_path: Path) -> None:
    board, present = board_of(["one", "two", "three"])
    rows = rows_of(board, present)
    for row in rows[1:]:
        row[2] = "NA"
    lines = saved(tmp_path, rows).read_text("utf-8-sig").splitlines()
    lines[2] = lines[2].replace(",two,", ',"two,')
    path = tmp_path / "broken.csv"
    path.write_text("\n".join(lines) + "\n", "utf-8")
    taken = taken_of(board, path)
    assert reasons(taken) == [(3, "broken quoting")]
    assert [label for label, _ in taken.said.values()] == ["NA", "NA"]


def test_an_emoji_that_a_code_page_lost_is_a_changed_text(tmp_path: Path) -> None:
    board, present = board_of(["great 🎉", "fine"])
    rows = rows_of(board, present)
    for row in rows[1:]:
        row[1], row[2] = row[1].replace("🎉", "??"), "positive"
    taken = taken_of(board, saved(tmp_path, rows, "utf-8"))
    assert [line for line, _ in reasons(taken)] == [2]
    assert len(taken.said) == 1


def test_columns_in_another_order_and_more_of_them_do_no_harm(tmp_path: Path) -> None:
    board, present = board_of(["one", "two"])
    rows = [[*reversed(row), "mine"] for row in rows_of(board, present)]
    for row in rows[1:]:
        row[3] = "positive"
    assert taken_of(board, saved(tmp_path, rows)).new == 2


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04rest of a workbook", "is a workbook"),
        (b"id,text\ni1,one\n", "has no column label; its columns are id, text"),
        (b"id,text,label,comment,work,guideline\n", "has no rows"),
        (b"", "is empty"),
    ],
)
def test_a_file_that_is_no_work_file_is_refused_whole(tmp_path: Path, content: bytes, said: str) -> None:
    board, _ = board_of(["one"])
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(BadInput, match=said):
        taken_of(board, path)


def test_of_a_file_that_is_no_work_file_no_more_than_its_beginning_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[RawBatch] = []

    def opened(*given: Any) -> Source:
        source = open_delimited(*given)
        return replace(source, batches=(read.append(batch) or batch for batch in source.batches))

    monkeypatch.setattr("modelyard.chain.filled_files.open_delimited", opened)
    path = tmp_path / "log.csv"
    path.write_text("id,text\n" + "i1,one\n" * 200_000)
    with pytest.raises(BadInput, match="has no column label"):
        read_filled(path)
    assert len(read) == 1


def test_a_label_that_only_differs_in_case_or_composition_is_meant() -> None:
    assert Label().answer(" Na ", LABELS) == "NA"
    assert Label().answer("cafe\u0301", ("CAF\u00c9", "th\u00e9")) == "CAF\u00c9"
    with pytest.raises(ValueError, match="'x' is no label of the guideline; it has positive, negative, NA, 中立"):
        Label().answer("x", LABELS)
