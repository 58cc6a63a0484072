"""From a file to a Dataset: bad rows named, values as they were written, nothing lost in silence."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from modelyard.errors import BadInput
from modelyard.stages.ingest import IngestConfig, ingest, source_digest
from tests.pictures import encoded, write_coco
from tests.rows import classes, column, cut_small, described, new_run, read, write_csv

GOOD = [(f"review number {number}", "good" if number % 2 else "bad") for number in range(40)]


def test_bad_rows_are_set_aside_with_file_line_and_reason(tmp_path: Path) -> None:
    rows = "".join(f"{text},{label}\n" for text, label in GOOD)
    bad = 'no label,\n,good\n   ,good\n"open,good\none,two,three\n'
    run = new_run(tmp_path)
    path = tmp_path / "reviews.csv"
    path.write_text(f"text,label\n{rows}{bad}last one,good\n")
    dataset = ingest(path, IngestConfig(max_set_aside=0.2), run)
    assert dataset.rows() == 41
    assert [(row["line"], row["reason"]) for row in run.details["set_aside"]] == [
        (42, "no label (column label)"),
        (43, "no text (column text)"),
        (44, "no text (column text)"),
        (45, "broken quoting"),
        (46, "3 fields, 2 expected"),
    ]
    assert {row["file"] for row in run.details["set_aside"]} == {"reviews.csv"}
    assert run.details["set_aside_count"] == 5
    assert (run.figures["rows_in"].value, run.figures["rows_out"].value) == (46, 41)
    assert column(dataset, "source_line")[-1] == 47


def test_too_many_bad_rows_stop_with_the_first_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"2 of 6 rows cannot be used \(33%, the bar is 10%\)") as error:
        read(tmp_path, "text,label\na b c,x\nd e f,\ng h i,y\nj k l,\nm n o,x\np q r,y\n")
    assert error.value.where == "a.csv, line 3"
    assert "max_set_aside" in (error.value.next or "")


def test_a_file_without_one_good_line_says_what_is_wrong_with_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the first: not JSON") as error:
        read(tmp_path, "this is\nnot json\n", "a.jsonl")
    assert error.value.where == "a.jsonl, line 1"


def test_only_the_first_hundred_bad_rows_are_listed_and_all_are_counted(tmp_path: Path) -> None:
    rows = "".join(f"text {n},{'' if n % 2 else 'x'}\n" for n in range(300))
    _, details = read(tmp_path, "text,label\n" + rows, max_set_aside=1.0)
    assert len(details["set_aside"]) == 100
    assert details["set_aside_count"] == 150
    assert details["set_aside_reasons"] == {"no label (column label)": 150}


@pytest.mark.parametrize("codec", ["utf-16-le", "utf-16-be"])
def test_utf_16_without_a_mark_is_found(tmp_path: Path, codec: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("text,label\n很好 fine,a\nbad,b\n".encode(codec))
    run = new_run(tmp_path)
    assert column(ingest(path, IngestConfig(), run), "text") == ["很好 fine", "bad"]
    assert run.details["encoding"] == codec


@pytest.mark.parametrize(
    ("name", "start", "what", "advice"),
    [
        ("a.csv.gz", b"\x1f\x8b\x08", "compressed by gzip", "gunzip -k a.csv.gz"),
        ("a.csv", b"\x1f\x8b\x08", "compressed by gzip", "gunzip"),
        ("a.csv", b"PK\x03\x04", "a ZIP archive", "unzip a.csv"),
        ("a.csv", b"PAR1", "a Parquet file", "ingest.format"),
        ("a.csv", b"\xd0\xcf\x11\xe0\xa1\xb1", "an Office file", "CSV"),
    ],
)
def test_a_file_that_is_not_what_it_is_called_is_told_by_its_first_bytes(
    tmp_path: Path, name: str, start: bytes, what: str, advice: str
) -> None:
    (tmp_path / name).write_bytes(start + bytes(100))
    with pytest.raises(BadInput, match=what) as error:
        ingest(tmp_path / name, IngestConfig(), new_run(tmp_path))
    assert advice in (error.value.next or "")


def test_a_directory_of_csv_files_names_one_to_give(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "train.csv").write_text("text,label\na,b\n")
    with pytest.raises(BadInput, match=r"it holds train\.csv") as error:
        ingest(tmp_path / "data", IngestConfig(), new_run(tmp_path))
    assert "train.csv" in (error.value.next or "")


def test_a_list_is_not_the_name_of_a_class_and_a_nul_belongs_to_none(tmp_path: Path) -> None:
    good = '{"text": "fine text", "label": "x"}\n' * 20
    bad = '{"text": "a b", "label": ["x", "y"]}\n{"text": "a b", "label": "x\\u0000"}\n'
    _, details = read(tmp_path, good + bad, "a.jsonl")
    assert [row["reason"] for row in details["set_aside"]] == [
        "label: a list, not the name of one class",
        "label: a control character in the label",
    ]


@pytest.mark.parametrize("content", ["", "\n\n", "text,label\n"])
def test_a_file_without_rows_is_an_error(tmp_path: Path, content: str) -> None:
    with pytest.raises(BadInput, match=r"is empty|has no rows"):
        read(tmp_path, content)


def test_an_unknown_ending_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as error:
        read(tmp_path, "a,b\n", "a.xlsx")
    assert "CSV" in (error.value.next or "")


def test_a_json_array_says_how_to_make_lines_of_it(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="one JSON array") as error:
        read(tmp_path, '[{"text": "a", "label": "b"}]', "a.json")
    assert "jq" in (error.value.next or "")


def test_json_numbers_stay_as_they_were_written(tmp_path: Path) -> None:
    line = '{"text": "a b", "label": %s, "id": 1234567890123456789, "price": 1.10, "tags": ["x"], "gone": null}\n'
    dataset, _ = read(tmp_path, line % 1 + line % '"NA"', "a.jsonl")
    assert column(dataset, "label") == ["1", "NA"]
    assert column(dataset, "id") == ["1234567890123456789"] * 2
    assert column(dataset, "price") == ["1.10"] * 2
    assert column(dataset, "tags") == ['["x"]'] * 2
    assert column(dataset, "gone") == [None] * 2


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('["a"]', "a JSON list, not an object"),
        ('{"text": 5, "label": "x"}', "text: int, not a string"),
        ('{"text": "a"', "not JSON"),
        ('{"text": "\\ud83d", "label": "x"}', "half a surrogate pair"),
        ("[" * 100_000, "nested too deeply"),
        ('{"text": "' + "x" * 2000 + '", "label": "x"}', "longer than 1,000 characters"),
    ],
)
def test_a_bad_json_line_is_set_aside(tmp_path: Path, line: str, reason: str) -> None:
    good = '{"text": "fine text", "label": "x"}\n'
    limit = 1000 if "longer" in reason else 1 << 20
    dataset, details = read(tmp_path, good * 20 + line + "\n" + good, "a.jsonl", max_row_characters=limit)
    assert dataset.rows() == 21
    assert details["set_aside"][0]["line"] == 21
    assert reason in details["set_aside"][0]["reason"]


def test_a_key_that_appears_late_is_left_out_and_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("modelyard.stages.ingest.text_files.jsonl.BATCH_ROWS", 2)
    lines = ['{"text": "a b", "label": "x"}'] * 4 + ['{"text": "c d", "label": "y", "late": 1}']
    _, details = read(tmp_path, "\n".join(lines), "a.jsonl")
    assert "late" in details["warnings"][0]


def test_a_long_file_is_cut_into_parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cut_small(monkeypatch, part=1000, batch=7)
    path = write_csv(tmp_path / "a.csv", ["text", "label"], GOOD)
    dataset = ingest(path, IngestConfig(), new_run(tmp_path))
    assert len(dataset.parts) > 1
    assert column(dataset, "text") == [text for text, _ in GOOD]
    assert column(dataset, "source_line") == list(range(2, 42))


def test_parquet_keeps_numbers_exactly_and_leaves_binary_out(tmp_path: Path) -> None:
    table = pa.table(
        {
            "text": ["first text", "second text"],
            "label": pa.array([0, 1], pa.int64()),
            "big": pa.array([1234567890123456789, None], pa.int64()),
            "image": pa.array([{"bytes": b"x"}, {"bytes": b"y"}]),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet")
    run = new_run(tmp_path)
    dataset = ingest(tmp_path / "a.parquet", IngestConfig(), run)
    assert column(dataset, "big") == ["1234567890123456789", None]
    assert classes(dataset) == ("0", "1")
    assert not dataset.has("image")
    assert "image" in run.details["warnings"][0]


def test_a_parquet_file_that_is_damaged_inside_says_so(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    pq.write_table(pa.table({"text": [f"a text {n}" for n in range(500)], "label": ["x", "y"] * 250}), path)
    data = bytearray(path.read_bytes())
    data[40:90] = bytes(50)
    path.write_bytes(data)
    with pytest.raises(BadInput, match=r"a\.parquet is damaged") as error:
        ingest(path, IngestConfig(), new_run(tmp_path))
    assert "download it again" in (error.value.next or "")


def test_two_parquet_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    table = pa.Table.from_arrays([pa.array(["a b"]), pa.array(["x"]), pa.array(["c d"])], ["text", "label", "text"])
    pq.write_table(table, tmp_path / "a.parquet")
    with pytest.raises(BadInput, match=r"two columns of a\.parquet are called text"):
        ingest(tmp_path / "a.parquet", IngestConfig(), new_run(tmp_path))


def hugging_face(folder: Path, **sides: list[tuple[str, int]]) -> Path:
    """A directory as `datasets` pushes it: class numbers, their names in the schema."""
    (folder / "data").mkdir(parents=True)
    features = {
        "text": {"dtype": "string", "_type": "Value"},
        "label": {"names": ["neg", "pos"], "_type": "ClassLabel"},
    }
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    for side, rows in sides.items():
        table = pa.table({"text": [row[0] for row in rows], "label": pa.array([row[1] for row in rows], pa.int64())})
        pq.write_table(table.replace_schema_metadata(metadata), folder / "data" / f"{side}-00000-of-00001.parquet")
    return folder


def test_the_hugging_face_layout_brings_its_split_and_class_names(tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "d", train=[("a b", 1), ("c d", 0)], test=[("e f", 0)])
    (folder / ".DS_Store").write_bytes(b"junk")
    dataset = ingest(folder, IngestConfig(), new_run(tmp_path))
    assert column(dataset, "label") == ["pos", "neg", "neg"]
    assert classes(dataset) == ("neg", "pos")
    assert column(dataset, "split") == ["train", "train", "test"]
    assert dataset.column("split").role == "system"
    assert column(dataset, "source_file")[2] == "data/test-00000-of-00001.parquet"
    assert column(dataset, "source_line") == [1, 2, 1]


def test_a_hidden_label_is_a_missing_one(tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "d", train=[("a b", 1), ("c d", -1)])
    run = new_run(tmp_path)
    assert ingest(folder, IngestConfig(max_set_aside=0.5), run).rows() == 1
    assert run.details["set_aside"][0]["reason"] == "no label (column label)"


def test_files_of_no_known_side_are_left_out_and_named(tmp_path: Path) -> None:
    folder = hugging_face(tmp_path / "d", train=[("a b", 1)], test=[("c d", 0)], unsupervised=[("e f", -1)])
    run = new_run(tmp_path)
    assert ingest(folder, IngestConfig(), run).rows() == 2
    assert "unsupervised" in run.details["warnings"][0]


def test_a_split_column_of_a_csv_file_is_the_split(tmp_path: Path) -> None:
    rows = "text,label,split\na b,x,train\nc d,y,dev\ne f,x,TEST\ng h,y,\n"
    dataset, _ = read(tmp_path, rows)
    assert column(dataset, "split") == ["train", "validation", "test", None]


def test_the_digest_of_a_source_is_of_its_content(tmp_path: Path) -> None:
    path = write_csv(tmp_path / "a.csv", ["text", "label"], GOOD)
    other = write_csv(tmp_path / "b.csv", ["text", "label"], GOOD)
    os.utime(other, (1, 1))
    assert source_digest(path) == source_digest(other)
    other.write_text("text,label\na,b\n")
    assert source_digest(path) != source_digest(other)
    one, two = (hugging_face(tmp_path / name, train=[("a", 1)]) for name in ("one", "two"))
    assert source_digest(one) == source_digest(two)
    (two / "README.md").write_text("not read")
    assert source_digest(one) == source_digest(two)


def test_where_there_are_several_kinds_the_digest_is_of_the_one_that_is_asked_for(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "data", {"a.png": []})
    hugging_face(folder, train=[("what was made of it", 1)])
    before, found = source_digest(folder, "coco"), source_digest(folder)
    (folder / "a.png").write_bytes(encoded(77))
    assert source_digest(folder, "coco") != before
    assert source_digest(folder) == found


CONTROL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f]")
VALUES = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=12)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.lists(st.tuples(VALUES, VALUES, VALUES), min_size=1, max_size=12))
def test_csv_and_jsonl_of_the_same_rows_give_the_same_dataset(tmp_path: Path, rows: list[tuple[str, str, str]]) -> None:
    names = ["text", "label", "other"]
    csv_path = write_csv(tmp_path / "a.csv", names, rows)
    json_path = tmp_path / "a.jsonl"
    json_path.write_bytes(
        b"".join(json.dumps(dict(zip(names, row, strict=True)), ensure_ascii=False).encode() + b"\n" for row in rows)
    )
    good = [row for row in rows if row[0].strip() and row[1].strip() and not CONTROL.search(row[1].strip())]
    config = IngestConfig(max_set_aside=1.0, delimiter=",")
    if not good:
        with pytest.raises(BadInput):
            ingest(csv_path, config, new_run(tmp_path))
        return
    one, two = (ingest(path, config, new_run(tmp_path)) for path in (csv_path, json_path))
    assert one.read([*names, "row_id"]) == two.read([*names, "row_id"])
    assert column(one, "text") == [text for text, _, _ in good]
    assert column(one, "other") == [other or None for _, _, other in good]
    assert column(one, "label") == [label.strip() for _, label, _ in good]


def test_data_without_labels_are_told_of_the_people_who_can_give_them(tmp_path: Path) -> None:
    texts = write_csv(tmp_path / "a.csv", ("text",), [("a film to see again",), ("a book to put away",)])
    with pytest.raises(BadInput, match="no column looks like the label") as caught:
        ingest(texts, IngestConfig(), new_run(tmp_path))
    assert "an `annotate:` block (docs/annotate.md)" in str(caught.value.next)


def test_where_people_give_the_labels_rows_may_lack_them_and_no_column_is_guessed_to_hold_them(tmp_path: Path) -> None:
    texts = [("a film to see again", "drama"), ("a book to put away", "novel"), ("a song to hear once", "drama")]
    bare = ingest(
        write_csv(tmp_path / "a.csv", ("text", "category"), texts), IngestConfig(unlabelled=True), new_run(tmp_path)
    )
    assert described(bare) == {"text": ("text", "input"), "category": ("value", "meta")}
    some = [(text, label) for (text, _), label in zip(texts, ("good", "", ""), strict=True)]
    run = new_run(tmp_path)
    partly = ingest(write_csv(tmp_path / "b.csv", ("text", "label"), some), IngestConfig(unlabelled=True), run)
    assert column(partly, "label") == ["good", None, None]
    assert (classes(partly), run.details["class_counts"]) == (("good",), {"good": 1})
