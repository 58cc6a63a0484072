"""A source that has grown: what was there is kept as it is, what follows is read, and nothing else is taken for it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelyard.run import Cancelled, Run
from modelyard.stages.ingest import Earlier, IngestConfig, has_grown, ingest
from modelyard.store import Dataset, Store
from tests.rows import Heard, StopsAt, classes, column, cut_small, write_csv

OLD = [(f"review number {number % 40}", "good" if number % 2 else "bad") for number in range(60)]
NEW = [("review number 7", "good"), ("an unheard of 评论", "middling"), ("review number 7", "bad")]


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_small(monkeypatch, part=1200, batch=7)


def read(
    source: Path, store: Path, listener: Heard | None = None, earlier: Earlier | None = None, **config: Any
) -> tuple[Dataset, Run]:
    run = Run(Store(store), listener or Heard())
    return ingest(source, IngestConfig(**config), run, earlier), run


def before(source: Path, store: Path, **config: Any) -> Earlier:
    """What is made of the source as it lies there now, and what its Report keeps of it."""
    dataset, run = read(source, store, **config)
    assert run.details["extent"] is not None
    return Earlier(dataset, json.loads(json.dumps(run.details["extent"])))


def csv_file(folder: Path, rows: list[tuple[str, str]]) -> Path:
    return write_csv(folder / "a.csv", ["text", "label"], rows)


def gb18030_file(folder: Path, rows: list[tuple[str, str]]) -> Path:
    return write_csv(folder / "b.csv", ["text", "label"], [("评论", "good"), *rows], encoding="gb18030")


def marked_file(folder: Path, rows: list[tuple[str, str]]) -> Path:
    return write_csv(folder / "c.csv", ["text", "label"], rows, encoding="utf-8-sig")


def jsonl_file(folder: Path, rows: list[tuple[str, str]]) -> Path:
    path = folder / "d.jsonl"
    path.write_text("".join(json.dumps({"text": text, "label": label}) + "\n" for text, label in rows))
    return path


def parquet_folder(folder: Path, rows: list[tuple[str, str]]) -> Path:
    """Old rows in two files, each further 60 rows in one more, which comes first in the order of names."""
    source = folder / "e"
    source.mkdir(exist_ok=True)
    for number, start in enumerate(range(0, len(rows), 30)):
        some = rows[start : start + 30]
        table = pa.table({"text": [text for text, _ in some], "label": [label for _, label in some]})
        pq.write_table(table, source / f"train-{9 - number}.parquet")
    return source


FORMATS = (csv_file, gb18030_file, marked_file, jsonl_file, parquet_folder)


@pytest.mark.parametrize("make", FORMATS)
def test_parts_that_were_there_are_kept_and_only_what_follows_is_read(
    make: Callable[..., Path], tmp_path: Path
) -> None:
    earlier = before(make(tmp_path, OLD), tmp_path / "store")
    listener = Heard()
    source = make(tmp_path, OLD + NEW)
    assert has_grown(source, earlier.extent)
    grown, run = read(source, tmp_path / "store", listener, earlier)
    assert grown.parts[: len(earlier.dataset.parts)] == earlier.dataset.parts
    assert listener.batches == 1
    assert run.figures["rows_new"].value == 3
    assert run.figures["rows_out"].value == grown.rows() == earlier.dataset.rows() + 3
    assert classes(grown) == ("bad", "good", "middling")
    whole, of_whole = read(source, tmp_path / "other")
    order = sorted if source.is_dir() else list  # the new file has the first name
    names = ("row_id", "text", "label", "source_line") if not source.is_dir() else ("text", "label")
    for name in names:
        assert order(column(grown, name)) == order(column(whole, name)), name
    assert run.details["class_counts"] == of_whole.details["class_counts"]
    assert len(set(column(grown, "row_id"))) == grown.rows()


def test_a_file_that_grows_again_and_again_keeps_all_its_parts(tmp_path: Path) -> None:
    earlier = before(csv_file(tmp_path, OLD), tmp_path / "store")
    for count in (1, 2, 3):
        source = csv_file(tmp_path, OLD + NEW[:count])
        dataset, run = read(source, tmp_path / "store", earlier=earlier)
        assert dataset.parts[:-1] == earlier.dataset.parts
        earlier = Earlier(dataset, run.details["extent"])
    assert column(earlier.dataset, "row_id") == column(read(source, tmp_path / "other")[0], "row_id")


def test_counts_are_those_of_the_whole_file(tmp_path: Path) -> None:
    source = csv_file(tmp_path, [*OLD, ("no label", "")])
    earlier = before(source, tmp_path / "store")
    with source.open("a") as file:
        file.write("one,two,three\nno label either,\n" + "".join(f"{text},{label}\n" for text, label in NEW))
    grown, run = read(source, tmp_path / "store", earlier=earlier)
    _, of_whole = read(source, tmp_path / "other")
    assert grown.rows() == 63
    for name in ("set_aside", "set_aside_count", "set_aside_reasons", "class_counts", "columns"):
        assert run.details[name] == of_whole.details[name], name
    assert run.details["set_aside_count"] == 3


def test_a_run_that_broke_off_in_what_follows_goes_on_there(tmp_path: Path) -> None:
    earlier, in_other = (before(csv_file(tmp_path, OLD), tmp_path / store) for store in ("one", "two"))
    source = csv_file(tmp_path, [*OLD, *((f"new {text}", label) for text, label in OLD)])
    unbroken, _ = read(source, tmp_path / "one", earlier=earlier)
    with pytest.raises(Cancelled):
        read(source, tmp_path / "two", StopsAt("ingest", 5), in_other)
    listener = Heard()
    resumed, run = read(source, tmp_path / "two", listener, in_other)
    assert resumed.digest == unbroken.digest
    assert run.figures["rows_new"].value == 60
    assert listener.batches < 9
    assert any("goes on behind" in said for said in listener.said)


CHANGES: dict[str, Callable[[bytes], bytes]] = {
    "a byte before": lambda content: content.replace(b"number 3", b"number 4", 1) + b"one more,good\n",
    "rows in front": lambda content: content.replace(b"text,label\n", b"text,label\none more,good\n"),
    "fewer rows": lambda content: content[: len(content) // 2],
    "no row more": lambda content: content,
    "another encoding": lambda content: content + "评论,good\n".encode("gb18030"),
    "another header": lambda content: content.replace(b"text,label", b"text,mark "),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_did_more_than_grow_is_read_from_its_beginning(change: str, tmp_path: Path) -> None:
    source = csv_file(tmp_path, OLD)
    earlier = before(source, tmp_path / "store")
    source.write_bytes(CHANGES[change](source.read_bytes()))
    dataset, run = read(source, tmp_path / "store", earlier=earlier)
    assert dataset.digest == read(source, tmp_path / "other")[0].digest
    assert "rows_new" not in run.figures


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_last_line_without_an_end_is_a_row_when_its_end_comes_first(ending: str, tmp_path: Path) -> None:
    source = csv_file(tmp_path, OLD)
    with source.open("a", newline="") as file:
        file.write("a last row,good")
    earlier = before(source, tmp_path / "store")
    with source.open("a", newline="") as file:
        file.write(f"{ending}one more,bad{ending}")
    dataset, run = read(source, tmp_path / "store", earlier=earlier)
    whole, _ = read(source, tmp_path / "other")
    assert run.figures["rows_new"].value == 1
    for name in ("row_id", "text", "label", "source_line"):
        assert column(dataset, name) == column(whole, name), name


def test_a_last_line_that_goes_on_is_read_again(tmp_path: Path) -> None:
    source = csv_file(tmp_path, OLD)
    source.write_bytes(source.read_bytes().rstrip(b"\n"))
    earlier = before(source, tmp_path / "store")
    with source.open("a") as file:
        file.write(" of all\none more,bad\n")
    assert not has_grown(source, earlier.extent)
    dataset, _ = read(source, tmp_path / "store", earlier=earlier)
    assert dataset.digest == read(source, tmp_path / "other")[0].digest


@pytest.mark.parametrize("end", ['"a quote that may close yet,good\nthe next,bad\n', "\n\r"])
def test_a_file_whose_end_more_bytes_would_change_is_not_gone_on_with(end: str, tmp_path: Path) -> None:
    source = csv_file(tmp_path, OLD)
    with source.open("a", newline="") as file:
        file.write(end)
    _, run = read(source, tmp_path / "store")
    assert run.details["extent"] is None


def test_a_file_in_two_bytes_a_character_is_read_again(tmp_path: Path) -> None:
    source = write_csv(tmp_path / "a.csv", ["text", "label"], [*OLD, ("\u0a0a\u0a0a", "\u0a0a")], encoding="utf-16-be")
    _, run = read(source, tmp_path / "store", encoding="utf-16-be")
    assert run.details["extent"] is None


def test_a_directory_whose_files_changed_is_read_from_its_beginning(tmp_path: Path) -> None:
    source = parquet_folder(tmp_path, OLD)
    earlier = before(source, tmp_path / "store")
    parquet_folder(tmp_path, [("another text", "good"), *OLD[1:], *NEW])
    assert not has_grown(source, earlier.extent)
    dataset, _ = read(source, tmp_path / "store", earlier=earlier)
    assert dataset.digest == read(source, tmp_path / "other")[0].digest
