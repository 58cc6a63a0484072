"""Rows derived for the train side: their pixels and boxes move together, and nothing else moves at all."""

from __future__ import annotations

import io
import json
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from modelyard.errors import BadConfig, BadInput
from modelyard.fields.codecs.coco import document_of
from modelyard.media.pixels import decode_image
from modelyard.run import Run
from modelyard.stages.augment import AugmentConfig, Crop, augment
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.split import Shares, SplitConfig, split
from modelyard.store import Dataset
from modelyard.store.materialize import materialize
from tests.pictures import box, config, encoded, write, write_coco
from tests.rows import column, labelled, new_run

SIDES = SplitConfig(shares=Shares(train=0.5, validation=0.25, test=0.25), min_rows_per_class=0)
WHOLE = [box("yes", 0, 0, 24, 16)]
NAMES = ["row_id", "parent_id", "split", "image", "boxes", "label", "source_file"]


def divided(tmp_path: Path, run: Run) -> Dataset:
    folder = write_coco(tmp_path / "data", {f"{n}.png": WHOLE if n % 3 else [] for n in range(30)})
    return split(ingest(folder, config(tmp_path), run), SIDES, run)


def rows(dataset: Dataset) -> list[dict[str, object]]:
    return dataset.read([name for name in NAMES if dataset.has(name)]).to_pylist()


def test_only_the_train_side_grows_and_what_was_there_stays(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    before = divided(tmp_path, run)
    after = augment(before, AugmentConfig(copies=2), run)
    counts = [Counter(column(each, "split")) for each in (before, after)]
    assert counts[1] == {**counts[0], "train": 3 * counts[0]["train"]}
    assert after.parts[: len(before.parts)] == before.parts
    there = [row for row in rows(after) if row["parent_id"] is None]
    assert [{k: v for k, v in row.items() if k != "parent_id"} for row in there] == rows(before)
    assert run.figures["rows_derived"].value == 2 * counts[0]["train"]


def test_a_derived_row_shows_a_window_of_its_parent(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    wide = AugmentConfig(copies=2, crop=Crop(smallest=0.75))
    after = rows(augment(divided(tmp_path, run), wide, run))
    parents = {row["row_id"]: row for row in after}
    derived = [row for row in after if row["parent_id"] is not None]
    assert len({row["row_id"] for row in after}) == len(after)
    for row in derived:
        parent = parents[row["parent_id"]]
        assert (row["split"], row["source_file"]) == ("train", parent["source_file"])
        window, whole = decode_image(row["image"]), decode_image(parent["image"])  # type: ignore[arg-type]
        height, width, _ = window.shape
        places = np.lib.stride_tricks.sliding_window_view(whole, window.shape)[:, :, 0]
        assert (places == window).all(axis=(2, 3, 4)).any()
        # A box around the whole picture is one around the whole window.
        assert row["boxes"] == ([box("yes", 0, 0, width, height)] if parent["boxes"] else [])


def test_the_same_seed_gives_the_same_rows_and_another_one_others(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    before = divided(tmp_path, run)
    digests = [augment(before, AugmentConfig(copies=1, seed=seed), run).digest for seed in (0, 0, 1)]
    assert digests[0] == digests[1] != digests[2]


def test_boxes_of_which_little_is_seen_are_left_out_and_counted(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    after = augment(divided(tmp_path, run), AugmentConfig(copies=1, crop=Crop(smallest=0.3, least_visible=1.0)), run)
    kept = sum(len(row["boxes"]) for row in rows(after) if row["parent_id"] is not None)  # type: ignore[arg-type]
    assert kept == 0
    assert run.figures["boxes_left_out"].value > 0


def test_a_window_is_of_the_class_of_its_picture(tmp_path: Path) -> None:
    for number in range(40):
        write(tmp_path / "data" / ("cat", "dog")[number % 2] / f"{number}.png", encoded(number))
    run = new_run(tmp_path)
    before = split(ingest(tmp_path / "data", IngestConfig(task="image_classification"), run), SIDES, run)
    after = augment(before, AugmentConfig(copies=1), run)
    parents = {row["row_id"]: row["label"] for row in rows(before)}
    windows = [row for row in rows(after) if row["parent_id"] is not None]
    assert len(windows) == sum(row["split"] == "train" for row in rows(before)) > 10
    assert {row["label"] for row in windows} == {"cat", "dog"}
    assert all(row["label"] == parents[row["parent_id"]] for row in windows)
    assert "boxes_left_out" not in run.figures


def test_a_window_that_is_another_picture_already_is_not_made_twice(tmp_path: Path) -> None:
    """Of a picture of one colour every window is a picture of that colour: row ids stay those of one row each."""
    sizes = [(width, height) for width in range(3, 9) for height in range(3, 9)]
    for width, height in sizes:
        file = io.BytesIO()
        Image.new("RGB", (width, height), "white").save(file, "PNG")
        write(tmp_path / "data" / f"{width}x{height}.png", file.getvalue())
    documents = document_of([(f"{width}x{height}.png", width, height, []) for width, height in sizes], ["yes"])
    write(tmp_path / "data" / "annotations.json", json.dumps(documents))
    run = new_run(tmp_path)
    before = split(ingest(tmp_path / "data", config(tmp_path), run), SIDES, run)
    after = augment(before, AugmentConfig(copies=3), run)
    ids = column(after, "row_id")
    assert len(ids) == len(set(ids))
    assert run.figures["rows_derived"].value == after.rows() - before.rows()


def test_what_was_augmented_is_not_augmented_again(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    after = augment(divided(tmp_path, run), AugmentConfig(copies=1), run)
    with pytest.raises(BadInput, match="has derived rows already") as error:
        augment(after, AugmentConfig(copies=1), run)
    assert "augment.copies" in (error.value.next or "")


def test_derived_rows_come_back_from_a_plain_directory(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    after = augment(divided(tmp_path, run), AugmentConfig(copies=1), run)
    back = ingest(materialize(after, tmp_path / "out"), IngestConfig(), new_run(tmp_path / "other"))
    assert sorted(map(str, rows(back))) == sorted(map(str, rows(after)))


def test_without_copies_the_dataset_is_handed_on(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    texts = labelled(run, [("a text", "a"), ("b text", "b")])
    assert augment(texts, AugmentConfig(), run) is texts


def test_what_cannot_be_augmented_is_refused(tmp_path: Path) -> None:
    run = new_run(tmp_path)
    with pytest.raises(BadInput, match="has no split"):
        augment(labelled(run, [("a text", "a"), ("b text", "b")]), AugmentConfig(copies=1), run)
    texts = split(labelled(run, [(f"text {n} {'x' * n}", "ab"[n % 2]) for n in range(60)]), SIDES, run)
    with pytest.raises(BadConfig, match=r"rows of text \(text\), label \(label\) are not augmented"):
        augment(texts, AugmentConfig(copies=1), run)
