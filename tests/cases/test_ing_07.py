"""ING-07 (datasets#5021, #7201, pytorch/vision#109, Pillow#2574): a picture called `train.png` makes the rest vanish;
`.DS_Store` counts as data; 16-bit grey turns white."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

from modelyard.media.pixels import decode_image
from modelyard.stages.ingest import ingest
from tests.pictures import config, encoded, write
from tests.rows import column, new_run


def test_ing_07_a_picture_called_train_is_no_split(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    names = ["cat/1.png", "cat/train.png", "dog/test.png", "dog/2.png"]
    for seed, name in enumerate(names):
        write(folder / name, encoded(seed))
    dataset = ingest(folder, config(tmp_path, "label"), new_run(tmp_path))
    assert column(dataset, "source_file") == sorted(names)
    assert column(dataset, "label") == ["cat", "cat", "dog", "dog"]
    assert not dataset.has("split")


def test_ing_07_a_class_called_train_is_a_class(tmp_path: Path) -> None:
    folder = tmp_path / "vehicles"
    for seed, name in enumerate(["train/1.png", "bus/1.png"]):
        write(folder / name, encoded(seed))
    dataset = ingest(folder, config(tmp_path, "label"), new_run(tmp_path))
    assert sorted(column(dataset, "label")) == ["bus", "train"]
    assert not dataset.has("split")


def test_ing_07_what_systems_leave_in_folders_is_no_data(tmp_path: Path) -> None:
    folder = tmp_path / "pets"
    for seed, name in enumerate(["cat/1.png", "dog/1.png"]):
        write(folder / name, encoded(seed))
    junk = [".DS_Store", "cat/.DS_Store", "cat/._1.png", "dog/Thumbs.db", "__MACOSX/cat/._1.png", ".git/x.png"]
    for name in junk:
        write(folder / name, b"\0\0\0\1Bud1")
    run = new_run(tmp_path)
    dataset = ingest(folder, config(tmp_path, "label"), run)
    assert column(dataset, "source_file") == ["cat/1.png", "dog/1.png"]
    assert run.details["set_aside_count"] == 0


def test_ing_07_16_bit_grey_does_not_turn_white(tmp_path: Path) -> None:
    grey = np.linspace(0, 65535, 256, dtype=np.uint16).reshape(16, 16)
    file = io.BytesIO()
    Image.fromarray(grey).save(file, "PNG")
    for name in ("cat/1.png", "dog/1.png"):
        write(tmp_path / "pets" / name, file.getvalue())
    dataset = ingest(tmp_path / "pets", config(tmp_path, "label"), new_run(tmp_path))
    stored = column(dataset, "image")[0]
    assert isinstance(stored, bytes)
    assert stored == file.getvalue()
    np.testing.assert_array_equal(decode_image(stored)[..., 0], grey >> 8)
