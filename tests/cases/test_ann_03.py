"""ANN-03 (label-studio#2293, #5223, #6608): rotated boxes are wrong on pictures that are not square; width and height
swap for phone photographs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from modelyard.fields.codecs import label_studio
from modelyard.media.pixels import decode_image
from modelyard.stages.ingest import ingest
from tests.pictures import config, encoded, write
from tests.rows import column, new_run


def rectangle(x: float, y: float, width: float, height: float, rotation: float, **said: Any) -> dict[str, Any]:
    value = {"x": x, "y": y, "width": width, "height": height, "rotation": rotation, "rectanglelabels": ["sign"]}
    return {"type": "rectanglelabels", "value": value, **said}


def test_ann_03_a_rotated_box_is_turned_in_pixels_not_in_per_cent() -> None:
    # 400 x 100 pixels; top left at (200, 50), 40 wide, 20 high, a quarter turn clockwise about that corner:
    # it lies to the left of the corner, 20 wide, and 40 high.
    (box,) = label_studio.boxes_of([rectangle(50, 50, 10, 20, 90)], 400, 100)
    assert {key: value for key, value in box.items() if key != "label"} == pytest.approx(
        {"x": 180, "y": 50, "width": 20, "height": 40}
    )


def test_ann_03_a_turned_box_covers_what_was_drawn() -> None:
    """The upright box against the drawn rectangle, filled pixel by pixel."""
    width, height, degrees = 300, 120, 30
    (box,) = label_studio.boxes_of([rectangle(40, 20, 20, 25, degrees)], width, height)
    x, y = np.meshgrid(np.arange(width * 4) / 4, np.arange(height * 4) / 4)
    cosine, sine = np.cos(np.radians(degrees)), np.sin(np.radians(degrees))
    along, down = (x - 120) * cosine + (y - 24) * sine, -(x - 120) * sine + (y - 24) * cosine
    drawn = (along >= 0) & (along <= 60) & (down >= 0) & (down <= 30)
    found = [x[drawn].min(), y[drawn].min(), np.ptp(x[drawn]), np.ptp(y[drawn])]
    assert [box[side] for side in ("x", "y", "width", "height")] == pytest.approx(found, abs=0.6)


def test_ann_03_per_cents_are_of_the_picture_as_it_is_seen(tmp_path: Path) -> None:
    """A phone's portrait, stored lying: some programs tell the stored size, and the picture is what counts."""
    seen = decode_image(encoded(1, 40, 20, "JPEG", orientation=6))
    height, width, _ = seen.shape
    assert (width, height) == (20, 40)
    swapped = {"original_width": 40, "original_height": 20}
    (box,) = label_studio.boxes_of([rectangle(50, 25, 50, 25, 0, **swapped)], width, height)
    assert box == {"label": "sign", "x": 10, "y": 10, "width": 10, "height": 10}


@pytest.mark.parametrize("orientation", range(1, 9))
def test_ann_03_boxes_on_the_stored_pixels_are_turned_with_a_phones_picture(tmp_path: Path, orientation: int) -> None:
    """The document tells the stored size, 40 x 20: its box lies on the stored pixels, and holds what it held."""
    content = encoded(1, 40, 20, orientation=orientation)
    write(tmp_path / "data" / "phone.png", content)
    document = {
        "images": [{"id": 1, "file_name": "phone.png", "width": 40, "height": 20}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [4, 2, 10, 6]}],
        "categories": [{"id": 1, "name": "sign"}],
    }
    write(tmp_path / "data" / "annotations.json", json.dumps(document))
    ((box,),) = column(ingest(tmp_path / "data", config(tmp_path), new_run(tmp_path)), "boxes")  # type: ignore[misc]
    if orientation in (5, 6, 7, 8):
        inside = cut(decode_image(content), box)
        assert sorted(map(tuple, inside.reshape(-1, 3))) == sorted(
            map(tuple, cut(decode_image(encoded(1, 40, 20)), {"x": 4, "y": 2, "width": 10, "height": 6}).reshape(-1, 3))
        )
    else:  # nothing tells on which pixels it was drawn: on those that a person sees
        assert (box["x"], box["y"], box["width"], box["height"]) == (4, 2, 10, 6)


def cut(pixels: np.ndarray[Any, Any], box: dict[str, Any]) -> np.ndarray[Any, Any]:
    x, y, width, height = (round(box[side]) for side in ("x", "y", "width", "height"))
    return pixels[y : y + height, x : x + width]


def test_ann_03_a_box_on_the_upright_picture_stays_where_it_is(tmp_path: Path) -> None:
    write(tmp_path / "data" / "phone.png", encoded(1, 40, 20, orientation=6))
    document = {
        "images": [{"id": 1, "file_name": "phone.png", "width": 20, "height": 40}],
        "annotations": [{"image_id": 1, "category_id": 1, "bbox": [2, 30, 10, 6]}],
        "categories": [{"id": 1, "name": "sign"}],
    }
    write(tmp_path / "data" / "annotations.json", json.dumps(document))
    dataset = ingest(tmp_path / "data", config(tmp_path), new_run(tmp_path))
    assert column(dataset, "boxes") == [[{"label": "sign", "x": 2, "y": 30, "width": 10, "height": 6}]]
