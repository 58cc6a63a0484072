from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageDraw

from modelyard.measure.examples import Examples
from modelyard.stages.evaluate.window_baseline import window_baseline


def drawn(rng):
    """A ring or a cross on a plain ground, and where it lies."""
    image = Image.new("L", (96, 72), int(rng.integers(20, 60)))
    side = int(rng.integers(20, 32))
    x, y = int(rng.integers(0, 96 - side)), int(rng.integers(0, 72 - side))
    draw, label = ImageDraw.Draw(image), "ring" if rng.random() < 0.5 else "cross"
    if label == "ring":
        draw.ellipse((x, y, x + side, y + side), outline=230, width=3)
    else:
        draw.line((x, y, x + side, y + side), fill=230, width=3)
        draw.line((x + side, y, x, y + side), fill=230, width=3)
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    box = {"label": label, "x": float(x), "y": float(y), "width": side + 1.0, "height": side + 1.0}
    return {"image": file.getvalue()}, [box]


def examples(seed, count):
    rng = np.random.default_rng(seed)
    rows = [drawn(rng) for _ in range(count)]
    return Examples([item for item, _ in rows], [boxes for _, boxes in rows], [str(row) for row in range(count)], {})


def test_things_on_a_plain_ground_are_found_by_windows():
    found = window_baseline(examples(0, 60), examples(1, 4), examples(2, 20))
    assert found is not None
    assert 0.3 < found.value <= 1.0
    assert "60 train and 20 test rows" in found.how


def test_pictures_without_a_box_teach_nothing():
    train = examples(0, 3)
    empty = Examples(train.items, [[], [], []], train.row_ids, {})
    assert window_baseline(empty, empty, train) is None


def test_pictures_of_which_every_window_holds_a_box_teach_nothing():
    train = examples(0, 3)
    whole = [{"label": "ring", "x": 0.0, "y": 0.0, "width": 96.0, "height": 72.0}]
    full = Examples(train.items, [whole] * 3, train.row_ids, {})
    assert window_baseline(full, full, train) is None
