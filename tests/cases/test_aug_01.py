"""AUG-01 (albumentations#459, #922, label-studio#5014): a box 1 px over the edge stops training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from modelyard.media.crops import cut_boxes, random_window
from modelyard.stages.ingest import ingest
from tests.pictures import box, config, encoded, write, write_coco, write_yolo
from tests.rows import Heard, column, new_run

OVER = [box("yes", -1, 3, 6, 6), box("no", 20, 12, 5, 5), box("yes", 30, 30, 4, 4)]  # pictures are 24 x 16
CUT = [box("yes", 0, 3, 5, 6), box("no", 20, 12, 4, 4)]


@pytest.mark.parametrize("make", [write_coco, write_yolo])
def test_aug_01_boxes_over_the_edge_are_cut_there_and_said(tmp_path: Path, make: type(write_coco)) -> None:  # type: ignore[valid-type]
    folder = make(tmp_path / "data", {"a.png": OVER, "b.png": [box()]})
    run = new_run(tmp_path)
    run.listener = heard = Heard()
    dataset = ingest(folder, config(tmp_path), run)
    found = column(dataset, "boxes")[0]
    assert isinstance(found, list)
    for each, expected in zip(found, CUT, strict=True):
        assert each == {k: v if k == "label" else pytest.approx(v, abs=1e-6) for k, v in expected.items()}
    assert run.details["set_aside_count"] == 0
    assert sum(run.details["left_out"].values()) == 1
    assert any("are left out" in said for said in heard.warned)


def test_aug_01_a_box_over_the_edge_that_was_kept_is_moved_like_any_other(tmp_path: Path) -> None:
    """Boxes in a column of their own are kept as they were given: nothing after them may stop for it."""
    write(tmp_path / "data" / "a.png", encoded(0))
    write(tmp_path / "data" / "metadata.jsonl", json.dumps({"file_name": "a.png", "boxes": OVER[:2]}) + "\n")
    (kept,) = column(ingest(tmp_path / "data", config(tmp_path), new_run(tmp_path)), "boxes")
    assert kept == OVER[:2]
    sides = np.array([[each[side] for side in ("x", "y", "width", "height")] for each in OVER])
    for seed in range(200):
        window = random_window(24, 16, 0.5, np.random.default_rng(seed))
        found, _ = cut_boxes(sides, (24, 16), window, 0.3)
        assert (found[:, :2] >= 0).all()
        assert (found[:, 2:] > 0).all()
        assert (found[:, :2] + found[:, 2:] <= [window.width, window.height]).all()
