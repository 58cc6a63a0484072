"""A Dataset as a plain directory, and back."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.stages.clean import CleanConfig, clean
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.split import SplitConfig, split
from modelyard.store import Dataset
from modelyard.store.dataset import show_row_id
from modelyard.store.materialize import materialize
from modelyard.store.writers import write_parquet
from tests.rows import column, in_parts, new_run

LOOSE = SplitConfig(balance="off", min_rows_per_class=0)


def chain(run: Run) -> Dataset:
    """Two parts, cleaned and split."""
    rows = [[(f"text  {part}-{n}", "ab"[n % 2]) for n in range(30)] for part in range(2)]
    cleaned = clean(in_parts(run, [[*rows[0], ("text 0-1", "b")], rows[1]]), CleanConfig(), run)
    return split(cleaned, LOOSE, run)


def test_a_side_lies_in_files_of_its_own(tmp_path: Path) -> None:
    dataset = chain(new_run(tmp_path))
    folder = materialize(dataset, tmp_path / "out")
    names = sorted(path.name for path in (folder / "data").iterdir())
    assert names == [
        *(f"{side}-0000{number}-of-00002.parquet" for side in ("test", "train", "validation") for number in range(2))
    ]
    sides = column(dataset, "split")
    for side in ("train", "validation", "test"):
        tables = [pq.read_table(path) for path in sorted((folder / "data").glob(f"{side}-*"))]
        assert sum(table.num_rows for table in tables) == sides.count(side)
        assert {value for table in tables for value in table["split"].to_pylist()} == {side}
    front = yaml.safe_load((folder / "README.md").read_text().split("---")[1])
    assert front["configs"][0]["data_files"] == [
        {"split": side, "path": f"data/{side}-*.parquet"} for side in ("train", "validation", "test")
    ]


def test_only_selected_rows_are_written_and_ids_are_text(tmp_path: Path) -> None:
    dataset = chain(new_run(tmp_path))
    folder = materialize(dataset, tmp_path / "out")
    written = {row_id for path in (folder / "data").iterdir() for row_id in pq.read_table(path)["row_id"].to_pylist()}
    assert written == {show_row_id(row_id) for row_id in column(dataset, "row_id")}  # type: ignore[arg-type]
    assert len(written) == 60
    described = json.loads((folder / "dataset.json").read_bytes())
    assert described["digest"] == dataset.digest
    assert sum(described["rows"].values()) == 60


def test_ingest_restores_ids_roles_classes_and_split(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    dataset = chain(run)
    back = ingest(materialize(dataset, tmp_path / "out"), IngestConfig(), Run(store=run.store))
    assert back.columns == dataset.columns
    names = [c.name for c in dataset.columns]
    key = [("row_id", "ascending")]
    assert back.read(names).sort_by(key) == dataset.read(names).sort_by(key)


def test_the_same_dataset_gives_the_same_bytes(tmp_path: Path) -> None:
    one, two = (contents(materialize(chain(new_run(tmp_path / name)), tmp_path / f"out-{name}")) for name in "ab")
    assert one == two


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_directory_of_ours_is_replaced_and_another_is_left_alone(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    folder = tmp_path / "out"
    materialize(chain(run), folder)
    plain = in_parts(run, [[("one text", "a"), ("two text", "b")]])
    materialize(plain, folder)
    assert [path.name for path in (folder / "data").iterdir()] == ["train-00000-of-00001.parquet"]
    other = tmp_path / "other"
    other.mkdir()
    materialize(plain, other)  # an empty one is as good as none
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    with pytest.raises(BadInput, match="nothing was changed"):
        materialize(plain, tmp_path / "mine")
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["thesis.txt"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "other", "out", "store"]


def test_a_failure_leaves_what_was_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(tmp_path)
    folder = materialize(in_parts(run, [[("one text", "a"), ("two text", "b")]]), tmp_path / "out")
    before = (folder / "dataset.json").read_bytes()

    def fail(*given: object) -> None:
        raise OSError("broken disk")

    with monkeypatch.context() as patch, pytest.raises(OSError, match="broken disk"):
        patch.setattr("modelyard.store.materialize.publish_directory", fail)
        materialize(chain(run), folder)
    assert (folder / "dataset.json").read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [".out.work", "out", "store"]
    materialize(chain(run), folder)
    assert (folder / "dataset.json").read_bytes() != before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "store"]


@pytest.mark.parametrize("writes", [0, 1, 3, 5])
def test_what_was_broken_off_goes_on_behind_its_whole_parts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, writes: int
) -> None:
    """Six files in two parts; broken off when so many of them are written."""
    dataset = chain(new_run(tmp_path))
    expected = contents(materialize(dataset, tmp_path / "unbroken"))
    written: list[str] = []
    most = writes

    def write(table: pa.Table, path: Path, metadata: dict[str, str] | None) -> None:
        if len(written) == most:
            raise KeyboardInterrupt
        written.append(path.name)
        write_parquet(table, path, metadata)

    monkeypatch.setattr("modelyard.store.materialize.write_parquet", write)
    with pytest.raises(KeyboardInterrupt):
        materialize(dataset, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    most = -1
    assert contents(materialize(dataset, tmp_path / "out")) == expected
    assert len(written) == writes + 6 - writes // 3 * 3
    assert sorted(path.name for path in tmp_path.iterdir()) == ["out", "store", "unbroken"]


def test_what_was_left_of_another_dataset_is_not_gone_on_with(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = new_run(tmp_path)

    def interrupt(*given: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr("modelyard.store.materialize._card", interrupt)
        materialize(chain(run), tmp_path / "out")
    plain = in_parts(run, [[("one text", "a"), ("two text", "b")]])
    assert contents(materialize(plain, tmp_path / "out")) == contents(materialize(plain, tmp_path / "other"))


def test_a_damaged_directory_of_ours_is_named(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    folder = materialize(in_parts(run, [[("one text", "a"), ("two text", "b")]]), tmp_path / "out")
    (path,) = (folder / "data").iterdir()
    table = pq.read_table(path)
    pq.write_table(table.drop_columns(["label"]), path)
    with pytest.raises(BadInput, match="has no column label"):
        ingest(folder, IngestConfig(), Run(store=run.store))
    pq.write_table(table.take([0, 0]), path)
    with pytest.raises(BadInput, match="one that another row has"):
        ingest(folder, IngestConfig(), Run(store=run.store))
    (folder / "dataset.json").write_text("{}")
    with pytest.raises(BadInput, match=r"dataset\.json is not one of ours"):
        ingest(folder, IngestConfig(), Run(store=run.store))
