"""A window of a picture: its pixels and boxes stay together."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from modelyard.media.box_geometry import areas, corner_form
from modelyard.media.crops import Window, cut_boxes, cut_pixels, random_window


@given(st.integers(2, 60), st.integers(2, 60), st.integers(0, 2**32 - 1), st.data())
def test_a_box_goes_where_its_pixels_go(width: int, height: int, seed: int, data: st.DataObject) -> None:
    x, y = data.draw(st.integers(0, width - 1)), data.draw(st.integers(0, height - 1))
    box = [x, y, data.draw(st.integers(1, width - x)), data.draw(st.integers(1, height - y))]
    pixels = np.zeros((height, width, 3), dtype=np.uint8)
    pixels[y : y + box[3], x : x + box[2]] = 255
    window = random_window(width, height, 0.5, np.random.default_rng(seed))
    found, kept = cut_boxes(np.array([box], dtype=float), (width, height), window, least_visible=0.0)
    rows, columns = np.nonzero(cut_pixels(pixels, window)[..., 0])
    if not len(rows):
        assert not kept.any()
        return
    assert found.tolist() == [[columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]]


@given(st.integers(1, 60), st.integers(1, 60), st.integers(0, 2**32 - 1))
def test_a_window_lies_in_the_picture_and_is_not_the_whole(width: int, height: int, seed: int) -> None:
    window = random_window(width, height, 0.6, np.random.default_rng(seed))
    assert 0 <= window.x <= window.x + window.width <= width
    assert 0 <= window.y <= window.y + window.height <= height
    assert window.width >= 1 and window.height >= 1
    assert (window.width, window.height) != (width, height) or (width, height) == (1, 1)
    assert window.width >= round(0.6 * width) - 1


@given(
    st.lists(st.tuples(*[st.floats(-50, 150)] * 2, *[st.floats(0.01, 200)] * 2), max_size=6),
    st.floats(0.0, 1.0),
)
def test_what_is_kept_lies_inside_and_has_an_area(rows: list[tuple[float, ...]], least: float) -> None:
    window = Window(10, 5, 60, 40)
    boxes = np.array(rows, dtype=float).reshape(-1, 4)
    found, kept = cut_boxes(boxes, (100, 50), window, least)
    assert len(found) == kept.sum()
    assert (areas(found) > 0).all()
    corners = corner_form(found)
    assert (corners >= 0).all() and (corners <= np.array([60, 40, 60, 40]) + 1e-9).all()


def test_a_box_of_which_too_little_is_seen_is_dropped() -> None:
    boxes = np.array([[0, 0, 20, 10], [8, 0, 4, 10], [15, 0, 5, 5]], dtype=float)
    found, kept = cut_boxes(boxes, (40, 40), Window(0, 0, 10, 40), least_visible=0.5)
    assert kept.tolist() == [True, True, False]
    assert found.tolist() == [[0, 0, 10, 10], [8, 0, 2, 10]]
