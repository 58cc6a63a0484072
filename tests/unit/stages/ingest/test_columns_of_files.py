"""The columns of a file: where they are divided, what they are called, and what each of them is."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.config import validate
from modelyard.errors import BadConfig, BadInput
from modelyard.stages.ingest import ColumnNames, IngestConfig, ingest
from tests.rows import Heard, column, described, new_run, read, write_csv


@pytest.mark.parametrize(("delimiter", "name"), [(",", "comma"), (";", "semicolon"), ("\t", "tab"), ("|", "bar")])
def test_the_delimiter_is_found_and_reported(tmp_path: Path, delimiter: str, name: str) -> None:
    dataset, details = read(tmp_path, "text,label\nfirst text,a\nsecond text,b\n".replace(",", delimiter))
    assert details["delimiter"] == name
    assert column(dataset, "text") == ["first text", "second text"]


def test_a_tsv_file_is_split_at_tabs_whatever_else_it_holds(tmp_path: Path) -> None:
    dataset, _ = read(tmp_path, "text\tlabel\na, b, c\tx\nd, e, f\ty\n", "a.tsv")
    assert column(dataset, "text") == ["a, b, c", "d, e, f"]


def test_a_name_given_twice_in_the_header_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"two columns of a\.csv are called text") as error:
        read(tmp_path, "text,label,text\na,b,c\n")
    assert "columns 1, 3" in (error.value.where or "")
    assert "rename" in (error.value.next or "")


def test_a_file_without_header_names_its_columns_by_number(tmp_path: Path) -> None:
    config = {"header": False, "columns": ColumnNames(text="column_1", label="column_2")}
    dataset, _ = read(tmp_path, "first,a\nsecond,b\n", **config)
    assert column(dataset, "column_1") == ["first", "second"]
    assert column(dataset, "source_line") == [1, 2]


def test_columns_are_guessed_by_name_and_the_guess_is_said(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["Sentiment", "Review", "stars"], [("good", "I like it", "5")] * 3)
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    dataset = ingest(path, IngestConfig(), run)
    assert described(dataset) == {
        "Sentiment": ("label", "target"),
        "Review": ("text", "input"),
        "stars": ("value", "meta"),
    }
    assert run.details["guessed"] == {"text": "Review (by name)", "label": "Sentiment (by name)"}
    assert any("Review" in line and "ingest.columns.text" in line for line in heard.said)


def test_columns_are_guessed_by_content_when_their_names_say_nothing(tmp_path: Path) -> None:
    rows = [(str(n), f"a sentence about thing {n}, long enough", "yes" if n % 3 else "no") for n in range(30)]
    run = new_run(tmp_path)
    dataset = ingest(write_csv(tmp_path / "a.csv", ["x", "y", "z"], rows), IngestConfig(), run)
    assert described(dataset) == {"x": ("value", "meta"), "y": ("text", "input"), "z": ("label", "target")}
    assert run.details["guessed"]["text"] == "y (by content)"


def test_two_columns_that_may_be_the_text_are_an_error_that_says_what_to_write(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="more than one column may be the text: review, content") as error:
        read(tmp_path, "review,content,label\na long text,b long text,x\n")
    assert error.value.next == (
        "write `ingest: {columns: {text: review}}` in modelyard.yaml, or: --set ingest.columns.text=review"
    )


def test_a_column_that_is_not_there_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="there is no column reviw") as error:
        read(tmp_path, "review,label\na,b\n", columns=ColumnNames(text="reviw"))
    assert error.value.next == "did you mean review?"


def test_ids_addresses_and_dates_are_not_taken_for_the_text(tmp_path: Path) -> None:
    rows = [
        (
            f"{n:08x}-aaaa-4bbb-8ccc-{n:012x}",
            f"http://example.org/{n}/page",
            f"2026-01-02 10:{n:02}:00",
            f"it was fine {n}",
            "ab"[n % 2],
        )
        for n in range(30)
    ]
    dataset = ingest(write_csv(tmp_path / "a.csv", list("pqrst"), rows), IngestConfig(), new_run(tmp_path))
    assert {name for name, (_, role) in described(dataset).items() if role == "input"} == {"s"}


@pytest.mark.parametrize("header", ["Review Text", "review-text", " REVIEW_TEXT "])
def test_a_name_is_known_however_it_is_written(tmp_path: Path, header: str) -> None:
    _, details = read(tmp_path, f"{header},label,another text\nfine,a,long long words\nbad,b,more words\n")
    assert details["guessed"] == {"text": f"{header.strip()} (by name)"}


def test_a_first_row_that_is_data_names_no_columns(tmp_path: Path) -> None:
    rows = "".join(f"{'good' if n % 2 else 'bad'};a long enough text {n}\n" for n in range(20))
    dataset, details = read(tmp_path, rows)
    assert details["header"] is False
    assert dataset.rows() == 20
    assert described(dataset) == {"column_1": ("label", "target"), "column_2": ("text", "input")}
    assert "ingest.header" in details["warnings"][0]


@pytest.mark.parametrize("header", ["v1,v2", "0,1", "label,text"])
def test_a_header_is_a_header_even_when_it_comes_again(tmp_path: Path, header: str) -> None:
    rows = "".join(f"{n % 2},a long enough text {n}\n" for n in range(20))
    dataset, details = read(tmp_path, f"{header}\n{rows}{header}\n{rows}")
    assert details["header"] is True
    assert dataset.rows() == 41  # the second header is a row like any other, and clean finds no twin of it


def test_empty_fields_past_the_last_column_are_no_fault(tmp_path: Path) -> None:
    dataset, details = read(tmp_path, "text,label\nfirst text,a,\nsecond text,b,,\nthird text,a\n")
    assert column(dataset, "label") == ["a", "b", "a"]
    dataset, details = read(tmp_path, "text,label,,\nfirst text,a,,\nsecond text,b\n")
    assert (dataset.rows(), details["set_aside_count"]) == (2, 0)
    assert set(described(dataset)) == {"text", "label"}


def test_the_line_that_excel_adds_says_the_delimiter(tmp_path: Path) -> None:
    dataset, details = read(tmp_path, "sep=;\r\ntext;label\r\na, b, c;x\r\nd, e, f;y\r\n")
    assert details["delimiter"] == "semicolon"
    assert column(dataset, "text") == ["a, b, c", "d, e, f"]
    assert column(dataset, "source_line") == [3, 4]


def test_a_column_has_one_role() -> None:
    with pytest.raises(BadConfig, match="the column a is given two roles"):
        validate(IngestConfig, {"columns": {"text": "a", "group": ["b", "a"]}}, "modelyard.yaml")


def test_a_key_of_the_columns_block_that_is_wrong_names_the_nearest() -> None:
    with pytest.raises(BadConfig, match=r"columns\.lable: .* did you mean label"):
        validate(IngestConfig, {"columns": {"lable": "x"}}, "modelyard.yaml")


def test_a_group_column_keeps_its_role(tmp_path: Path) -> None:
    config = validate(IngestConfig, {"columns": {"group": "user"}}, "modelyard.yaml")
    path = write_csv(tmp_path / "a.csv", ["text", "label", "user"], [("a b", "x", "u1"), ("c d", "y", "u2")])
    dataset = ingest(path, config, new_run(tmp_path))
    assert described(dataset)["user"] == ("value", "group")


def test_a_column_with_a_name_of_ours_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="row_id, a name that Modelyard uses itself"):
        read(tmp_path, "row_id,text,label\n1,a,b\n")
