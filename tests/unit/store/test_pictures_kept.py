"""Pictures and boxes through clean, split, a plain directory and back: media are written once, at ingest."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq

from modelyard.run import Run
from modelyard.stages.clean import CleanConfig, clean
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.split import Shares, SplitConfig, split
from modelyard.store import Dataset
from modelyard.store.materialize import materialize
from tests.pictures import box, config, encoded, pixels, write, write_coco
from tests.rows import column, new_run

LOOSE = SplitConfig(min_rows_per_class=0)


def chained(tmp_path: Path, run: Run) -> Dataset:
    folder = write_coco(tmp_path / "data", {f"{n}.png": [box(x=n)] if n % 3 else [] for n in range(30)})
    return split(clean(ingest(folder, config(tmp_path), run), CleanConfig(), run), LOOSE, run)


def test_pictures_lie_in_the_store_once(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    dataset = chained(tmp_path, run)
    holding = [
        path
        for path in (run.store.root / "objects").rglob("*.parquet")
        if "image" in pq.ParquetFile(path).schema_arrow.names
    ]
    assert [path.stem for path in holding] == [dataset.parts[0].files[0].digest]


def test_a_plain_directory_of_pictures_is_read_back_as_it_was(tmp_path: Path) -> None:
    dataset = chained(tmp_path, new_run(tmp_path))
    folder = materialize(dataset, tmp_path / "out")
    back = ingest(folder, IngestConfig(), new_run(tmp_path / "other"))
    assert back.columns == dataset.columns
    names = ["row_id", "image", "boxes", "split", "source_file"]
    rows = [sorted(zip(*(column(each, name) for name in names), strict=True), key=str) for each in (dataset, back)]
    assert rows[0] == rows[1]
    assert materialize(back, tmp_path / "again").is_dir()


def test_datasets_is_told_which_column_holds_pictures(tmp_path: Path) -> None:
    folder = materialize(chained(tmp_path, new_run(tmp_path)), tmp_path / "out")
    (file, *_) = sorted((folder / "data").glob("train-*"))
    schema = pq.read_schema(file)
    assert json.loads(schema.metadata[b"huggingface"]) == {"info": {"features": {"image": {"_type": "Image"}}}}
    assert pq.read_table(file)["image"][0].as_py().keys() == {"bytes", "path"}


def test_clean_drops_pictures_of_the_same_pixels_however_they_are_encoded(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "data", {"a.png": [box()], "b.png": [box()], "c.png": [box("no")], "d.png": []})
    run = new_run(tmp_path)
    write(folder / "b.png", encoded(0, kind="BMP"))
    write(folder / "c.png", encoded(0, kind="TIFF"))
    assert pixels(0).shape == (16, 24, 3)
    cleaned = clean(ingest(folder, config(tmp_path), run), CleanConfig(max_dropped=0.6), run)
    assert column(cleaned, "source_file") == ["a.png", "d.png"]
    assert run.details["dropped"] == {"conflicting targets": 1, "exact duplicate": 1}


def test_split_keeps_pictures_of_the_same_pixels_on_one_side(tmp_path: Path) -> None:
    folder = write_coco(tmp_path / "data", {f"{n}.png": [] for n in range(40)})
    for n in range(0, 40, 2):
        write(folder / f"{n + 1}.png", encoded(n, kind="BMP"))
    run = new_run(tmp_path)
    thirds = SplitConfig(shares=Shares(train=0.4, validation=0.3, test=0.3))
    divided = split(ingest(folder, config(tmp_path), run), thirds, run)
    sides = column(divided, "split")
    assert sides[::2] == sides[1::2]
    assert len(set(sides)) == 3
    assert run.details["leakage"]["checked"] == ["exact twins"]
