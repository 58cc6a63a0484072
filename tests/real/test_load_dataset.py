"""The plain directory, opened by the `datasets` library."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from modelyard.run import Run
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.split import SplitConfig, split
from modelyard.store.dataset import show_row_id
from modelyard.store.materialize import materialize
from tests.pictures import box, config, pixels, write_coco
from tests.rows import column, labelled, new_run


@pytest.mark.e2e
def test_load_dataset_opens_what_materialize_wrote(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import load_dataset

    run = new_run(tmp_path)
    rows = [(f"中文 text {n}\nline two", ("NA", "010")[n % 2]) for n in range(120)]
    dataset = split(labelled(run, rows), SplitConfig(), run)
    opened = load_dataset(str(materialize(dataset, tmp_path / "out")), cache_dir=str(tmp_path / "cache"))
    assert set(opened) == {"train", "validation", "test"}
    for side, part in opened.items():
        expected = dataset.read(["text", "label", "row_id"], where={"split": side})
        assert part["text"][:] == expected["text"].to_pylist()
        assert part["label"][:] == expected["label"].to_pylist()
        assert part["row_id"][:] == [show_row_id(row_id) for row_id in expected["row_id"].to_pylist()]


@pytest.mark.e2e
def test_ingest_reads_what_datasets_wrote(tmp_path: Path) -> None:
    from datasets import ClassLabel, Features, Value
    from datasets import Dataset as HuggingFaceDataset

    features = Features({"text": Value("string"), "label": ClassLabel(names=["neg", "pos"])})
    folder = tmp_path / "d"
    for side, labels in (("train", [1, 0, 1]), ("test", [0, 1])):
        rows = {"text": [f"{side} text {n}" for n in range(len(labels))], "label": labels}
        written = HuggingFaceDataset.from_dict(rows, features=features)
        (folder / "data").mkdir(parents=True, exist_ok=True)
        written.to_parquet(str(folder / "data" / f"{side}-00000-of-00001.parquet"))
    dataset = ingest(folder, IngestConfig(), Run(store=new_run(tmp_path).store))
    assert column(dataset, "label") == ["pos", "neg", "pos", "neg", "pos"]
    assert column(dataset, "split") == ["train", "train", "train", "test", "test"]


@pytest.mark.e2e
def test_load_dataset_gives_pictures_and_boxes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    from datasets import Image, load_dataset

    scenes = {"a.png": [box("yes"), box("no", 5, 5, 2, 2)], "b.png": []}
    dataset = ingest(write_coco(tmp_path / "data", scenes), config(tmp_path), new_run(tmp_path))
    folder = materialize(dataset, tmp_path / "out")
    opened = load_dataset(str(folder), cache_dir=str(tmp_path / "cache"))["train"]
    assert isinstance(opened.features["image"], Image)
    assert opened["boxes"][:] == list(scenes.values())
    for seed, image in enumerate(opened["image"]):
        np.testing.assert_array_equal(np.asarray(image), pixels(seed))
