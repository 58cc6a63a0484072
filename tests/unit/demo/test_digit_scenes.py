"""Composed scenes: every box lies around exactly what was drawn, and a seed gives the same scenes again."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.demo import digit_scenes
from modelyard.demo.digit_scenes import CLASSES, CONTRAST, _lay, compose, write_digit_scenes
from modelyard.errors import BadInput
from modelyard.fields.codecs.coco import read_document
from modelyard.media.box_geometry import iou
from modelyard.media.named_boxes import rectangles

GREY = np.full((427, 640, 3), 128, dtype=np.uint8)


def squares(count: int) -> np.ndarray:
    """Digits that are drawn as filled squares, so that their boxes are known."""
    digits = np.zeros((count, 28, 28), dtype=np.uint8)
    digits[:, 6:22, 6:22] = 255
    return digits


@given(st.integers(0, 2**32 - 1), st.integers(0, 4))
@settings(max_examples=40)
def test_a_box_lies_around_what_was_drawn(seed: int, count: int) -> None:
    scene = compose(squares(count), ["7"] * count, [GREY], np.random.default_rng(seed))
    drawn = (np.abs(scene.pixels.astype(int) - 128) > 40).any(axis=2)
    covered = np.zeros_like(drawn)
    for x, y, width, height in rectangles(scene.boxes).astype(int).tolist():
        covered[y : y + height, x : x + width] = True
        assert drawn[y : y + height, x : x + width].mean() > 0.8
    assert not (drawn & ~covered).any()
    apart = iou(rectangles(scene.boxes), rectangles(scene.boxes))
    assert np.count_nonzero(apart) == len(scene.boxes)


def test_a_series_begins_with_a_shorter_one_and_uses_each_digit_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(digit_scenes, "mnist_digits", lambda: (squares(40), np.arange(40, dtype=np.uint8) % 10))
    assert write_digit_scenes(tmp_path / "long", 8, seed=1) == 8
    write_digit_scenes(tmp_path / "short", 3, seed=1)
    for name in ("00001", "00002", "00003"):
        images = [(tmp_path / folder / f"images/{name}.jpg").read_bytes() for folder in ("long", "short")]
        assert images[0] == images[1]
    document = json.loads((tmp_path / "long" / "annotations.json").read_text())
    read = read_document(document)
    assert "Composed" in document["info"]["description"]
    assert list(read.names.values()) == list(CLASSES)
    assert len(document["annotations"]) <= 40
    with pytest.raises(BadInput, match="there are digits for"):
        write_digit_scenes(tmp_path / "more", 60, seed=1)


@pytest.mark.parametrize("behind", [0.0, 69.6, 70.0, 127.4, 127.6, 184.9, 185.0, 185.4, 255.0])
def test_a_digit_stands_out_from_any_grey_behind_it(behind):
    ink = np.full((4, 4), 255, dtype=np.uint8)
    for seed in range(20):
        below = np.full((4, 4, 3), behind, dtype=np.float32)
        _lay(below, ink, np.random.default_rng(seed))
        assert (below >= 0).all()
        assert (below <= 255).all()
        assert np.abs(below - behind).min() >= CONTRAST - 1e-3
