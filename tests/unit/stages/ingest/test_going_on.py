"""A run that broke off goes on behind the last part it wrote, to the Dataset of an unbroken one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from modelyard.errors import BadInput
from modelyard.run import Cancelled, Run
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.store import Dataset, Store
from tests.rows import Heard, StopsAt, cut_small, write_csv

ROWS = [
    (f'review "number" {number % 50},\nin two lines 评论', "good" if number % 2 else "bad") for number in range(200)
]
BATCHES = 29  # of 7 rows each, where they are not cut by row groups


@pytest.fixture(autouse=True)
def small_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    cut_small(monkeypatch, part=1500, batch=7)


def csv_file(folder: Path) -> Path:
    """With rows that are set aside, one of them behind a quote that is never closed."""
    path = write_csv(folder / "a.csv", ["text", "label"], ROWS)
    lines = path.read_text().splitlines(keepends=True)
    lines.insert(301, "one,two,three\n")
    lines.append('"never closed,good\nlast one,bad\n')
    path.write_text("".join(lines))
    return path


def gb18030_file(folder: Path) -> Path:
    return write_csv(folder / "b.csv", ["text", "label"], ROWS, encoding="gb18030")


def jsonl_file(folder: Path) -> Path:
    lines = [
        json.dumps({"text": text, "label": label, **({"late": 1} if n == 20 else {})})
        for n, (text, label) in enumerate(ROWS)
    ]
    (folder / "c.jsonl").write_text("\n".join([*lines, "{broken"]) + "\n")
    return folder / "c.jsonl"


def parquet_folder(folder: Path) -> Path:
    source = folder / "d"
    source.mkdir()
    for number in range(2):
        half = ROWS[number * 100 : number * 100 + 100]
        table = pa.table({"text": [text for text, _ in half], "label": [label for _, label in half]})
        pq.write_table(table, source / f"train-{number}.parquet", row_group_size=30)
    return source


FORMATS = (csv_file, gb18030_file, jsonl_file, parquet_folder)


def read(source: Path, store: Path, listener: Heard) -> tuple[Dataset, Run]:
    run = Run(Store(store), listener)
    return ingest(source, IngestConfig(), run), run


def broken_off(source: Path, store: Path, at: int, label: str = "ingest") -> None:
    with pytest.raises(Cancelled):
        read(source, store, StopsAt(label, at))


@pytest.mark.parametrize("make", FORMATS)
def test_a_run_that_broke_off_goes_on_behind_its_last_part(make: Callable[[Path], Path], tmp_path: Path) -> None:
    source = make(tmp_path)
    unbroken, run = read(source, tmp_path / "one", Heard())
    assert len(unbroken.parts) > 5
    for at in (1, 9, 9, 5):
        broken_off(source, tmp_path / "two", at)
    listener = Heard()
    resumed, again = read(source, tmp_path / "two", listener)
    assert resumed.digest == unbroken.digest
    assert listener.batches < 20, "what was read is not read again"
    assert any("goes on behind" in said and f"at {run_file(source)}, line" in said for said in listener.said)
    assert again.details == run.details
    assert {name: figure.value for name, figure in again.figures.items()} == {
        name: figure.value for name, figure in run.figures.items()
    }


def run_file(source: Path) -> str:
    return "train-1.parquet" if source.is_dir() else source.name


def test_a_run_that_broke_off_while_ids_were_made_reads_nothing_again(tmp_path: Path) -> None:
    source = gb18030_file(tmp_path)
    broken_off(source, tmp_path / "two", 2, "row ids")
    listener = Heard()
    resumed, _ = read(source, tmp_path / "two", listener)
    assert resumed.digest == read(source, tmp_path / "one", Heard())[0].digest
    assert listener.batches == 0


def test_a_part_that_is_gone_is_made_again_with_those_behind_it(tmp_path: Path) -> None:
    source = csv_file(tmp_path)
    unbroken, _ = read(source, tmp_path / "one", Heard())
    broken_off(source, tmp_path / "two", 25)
    Store(tmp_path / "two").object(unbroken.parts[2].files[0].digest, "parquet").unlink()
    listener = Heard()
    resumed, _ = read(source, tmp_path / "two", listener)
    assert resumed.digest == unbroken.digest
    before = sum(part.rows for part in unbroken.parts[:2])
    assert f"goes on behind {before} rows" in " ".join(listener.said)


def test_a_bar_that_is_raised_after_the_run_failed_costs_no_second_reading(tmp_path: Path) -> None:
    source = csv_file(tmp_path)
    run = Run(Store(tmp_path / "store"))
    with pytest.raises(BadInput, match=r"the bar is 0%"):
        ingest(source, IngestConfig(max_set_aside=0), run)
    listener = Heard()
    dataset = ingest(source, IngestConfig(max_set_aside=0.1), Run(run.store, listener))
    assert (dataset.rows(), listener.batches < 3) == (201, True)


@pytest.mark.parametrize("change", ["content", "time", "settings"])
def test_a_source_that_changed_is_read_from_its_beginning(change: str, tmp_path: Path) -> None:
    source = gb18030_file(tmp_path)
    broken_off(source, tmp_path / "two", 20)
    settings: dict[str, Any] = {}
    if change == "content":
        source.write_text(source.read_text("gb18030") + "one more,good\n", "gb18030")
    elif change == "time":
        os.utime(source, ns=(1, 1))
    else:
        settings = {"max_columns": 5}
    listener = Heard()
    run = Run(Store(tmp_path / "two"), listener)
    resumed = ingest(source, IngestConfig(**settings), run)
    assert listener.batches >= BATCHES
    assert not any("goes on" in said for said in listener.said)
    assert resumed.digest == ingest(source, IngestConfig(**settings), Run(Store(tmp_path / "one"))).digest
