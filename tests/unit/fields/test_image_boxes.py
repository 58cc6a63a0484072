"""Pictures and boxes as fields."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from modelyard.fields import FIELDS, read_column
from modelyard.media import pixels
from modelyard.media.named_boxes import labelled, rectangles

PIXELS = np.random.default_rng(3).integers(0, 256, (6, 8, 3), dtype=np.uint8)
BOX = {"label": "cat", "x": 1.5, "y": 2, "width": 3, "height": 4.25}


def encoded(array: np.ndarray, kind: str = "PNG", **options: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(array).save(file, kind, **options)
    return file.getvalue()


def test_a_picture_is_kept_as_its_file() -> None:
    content = encoded(PIXELS, "JPEG")
    assert FIELDS["image"].read(content) == content
    assert FIELDS["image"].read({"bytes": content, "path": "a.jpg"}) == content
    assert FIELDS["image"].read(None) is None


def test_the_same_pixels_are_the_same_picture_however_they_are_encoded() -> None:
    image = FIELDS["image"]
    same = [encoded(PIXELS), encoded(PIXELS, "BMP"), encoded(PIXELS, "WEBP", lossless=True)]
    assert len({image.canonical(each) for each in same}) == 1
    assert image.canonical(encoded(PIXELS.reshape(8, 6, 3))) != image.canonical(same[0])
    assert len(image.canonical(same[0])) == 32


@pytest.mark.parametrize("value", ["a.png", 5, b"no picture", {"bytes": None, "path": "a.png"}, encoded(PIXELS)[:50]])
def test_what_is_no_picture_is_refused(value: Any) -> None:
    with pytest.raises(ValueError, match=r"picture"):
        FIELDS["image"].read(value)


def test_a_picture_is_decoded_once_for_reading_and_for_its_row_id(monkeypatch: pytest.MonkeyPatch) -> None:
    content, decoded = encoded(PIXELS[:5]), []
    monkeypatch.setattr(
        "modelyard.fields.image.decode_image", lambda file: decoded.append(1) or pixels.decode_image(file)
    )
    FIELDS["image"].read(content)
    FIELDS["image"].canonical(content)
    assert len(decoded) == 1


@pytest.mark.parametrize(
    "raw",
    [[BOX], json.dumps([BOX]), {"bbox": [[1.5, 2, 3, 4.25]], "categories": ["cat"]}, [{**BOX, "y": "2", "id": 7}]],
)
def test_boxes_are_read_in_every_usual_form(raw: Any) -> None:
    assert FIELDS["boxes"].read(raw) == [{"label": "cat", "x": 1.5, "y": 2.0, "width": 3.0, "height": 4.25}]


def test_no_box_is_a_value_and_no_value_is_none() -> None:
    assert FIELDS["boxes"].read([]) == []
    assert FIELDS["boxes"].read("[]") == []
    assert FIELDS["boxes"].read("  ") is None
    stored, wrong = read_column(FIELDS["boxes"], [[], None, [BOX]])
    assert stored.to_pylist() == [[], None, [{**BOX, "y": 2.0, "width": 3.0}]]
    assert not wrong


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        ("boxes", "not JSON"),
        (7, "not a list"),
        ([{"label": "a", "x": 1}], "box 1 lacks"),
        ([BOX, {**BOX, "width": 0}], r"box 2 \(cat\) has no area: 0 x 4.25"),
        ([{**BOX, "height": -1}], "no area"),
        ([{**BOX, "x": float("nan")}], "x is not finite"),
        ([{**BOX, "x": 10**400}], "x is not finite"),
        ([{**BOX, "x": "wide"}], "'wide', not a number"),
        ([{**BOX, "x": True}], "not a number"),
        ([{**BOX, "label": " "}], "box 1 has no label"),
        ({"bbox": [[1, 2, 3, 4]], "categories": []}, "holds no boxes"),
        ({"bbox": [[1, 2, 3]], "categories": [0]}, "a bbox holds x, y, width, height"),
    ],
)
def test_what_are_no_boxes_says_why(raw: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        FIELDS["boxes"].read(raw)


NUMBER = st.floats(-1e6, 1e6, allow_nan=False)
SIDE = st.floats(1e-3, 1e6)
NAME = st.text(st.characters(codec="utf-8", categories=["L", "N"]), min_size=1, max_size=5)


@given(st.lists(st.tuples(NAME, NUMBER, NUMBER, SIDE, SIDE), max_size=5))
def test_boxes_become_numbers_and_boxes_again(rows: list[tuple[str, float, float, float, float]]) -> None:
    boxes = [dict(zip(("label", "x", "y", "width", "height"), row, strict=True)) for row in rows]
    assert labelled([box["label"] for box in boxes], rectangles(boxes)) == boxes
    assert FIELDS["boxes"].read(boxes) == boxes
