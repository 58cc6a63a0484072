from __future__ import annotations

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from modelyard.measure.examples import Examples
from modelyard.stages.evaluate.pixel_baseline import pixel_baseline

COLOURS = {"red": (200, 40, 40), "blue": (40, 40, 200)}


def drawn(rng: np.random.Generator, kind: str) -> dict[str, bytes]:
    """A ring or a cross on a grey ground, or a plain colour with noise."""
    size = (int(rng.integers(40, 80)), int(rng.integers(40, 80)))
    image = Image.new("RGB", size, COLOURS.get(kind, (90, 90, 90)))
    draw, box = ImageDraw.Draw(image), (8, 8, size[0] - 8, size[1] - 8)
    if kind == "ring":
        draw.ellipse(box, outline=(230, 230, 230), width=5)
    elif kind == "cross":
        draw.line(box, fill=(230, 230, 230), width=5)
        draw.line((box[0], box[3], box[2], box[1]), fill=(230, 230, 230), width=5)
    noisy = np.clip(np.asarray(image).astype(int) + rng.integers(-25, 26, (size[1], size[0], 3)), 0, 255)
    file = io.BytesIO()
    Image.fromarray(noisy.astype(np.uint8)).save(file, "PNG")
    return {"image": file.getvalue()}


def examples(seed: int, kinds: tuple[str, ...], each: int) -> Examples:
    rng = np.random.default_rng(seed)
    targets = list(kinds) * each
    return Examples([drawn(rng, kind) for kind in targets], targets, [str(row) for row in range(len(targets))], {})


@pytest.mark.parametrize("kinds", [("ring", "cross"), ("red", "blue")])
def test_shapes_are_told_by_their_gradients_and_colours_by_their_pixels(kinds):
    found = pixel_baseline(examples(0, kinds, 20), examples(1, kinds, 5), examples(2, kinds, 10))
    assert found is not None
    assert found.value == 1.0
    assert "40 train and 20 test rows" in found.how


def test_what_cannot_be_told_apart_is_answered_by_chance():
    train, test = (examples(seed, ("ring", "ring"), 30) for seed in (0, 1))
    mixed = [Examples(side.items, ["a", "b"] * 30, side.row_ids, {}) for side in (train, test)]
    found = pixel_baseline(mixed[0], mixed[1], mixed[1])
    assert 0.2 < found.value < 0.8


def test_pictures_of_one_class_teach_nothing():
    rings = examples(0, ("ring",), 3)
    assert pixel_baseline(rings, rings, rings) is None
