"""Boxes: hand-worked values, pycocotools for IoU, and pixels for what turning does."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pycocotools import mask

from modelyard.media.box_geometry import around, clipped, corner_form, iou, rotated_corners, size_form, turned
from modelyard.media.pixels import upright


def boxes(*rows: tuple[float, float, float, float]) -> np.ndarray:
    return np.array(rows, dtype=np.float64).reshape(-1, 4)


SIZES = st.floats(0, 500, width=32)
MANY = st.lists(st.tuples(SIZES, SIZES, SIZES, SIZES), min_size=1, max_size=6).map(lambda rows: boxes(*rows))


@given(MANY, MANY)
def test_iou_is_that_of_pycocotools(one: np.ndarray, other: np.ndarray) -> None:
    expected = mask.iou(one, other, [0] * len(other))
    np.testing.assert_allclose(iou(one, other), np.nan_to_num(expected), atol=1e-9)


def test_a_box_one_pixel_over_the_edge_is_cut_there() -> None:
    found = clipped(boxes((90, 40, 11, 10), (-1, -1, 3, 3), (10.1, 20.2, 0.3, 0.7), (200, 0, 5, 5)), 100, 50)
    assert found.tolist() == [[90, 40, 10, 10], [0, 0, 2, 2], [10.1, 20.2, 0.3, 0.7], [100, 0, 0, 5]]


@given(MANY, st.integers(1, 400), st.integers(1, 400))
def test_what_is_clipped_lies_inside_and_is_not_clipped_again(some: np.ndarray, width: int, height: int) -> None:
    once = clipped(some, width, height)
    corners = corner_form(once)
    assert (corners >= 0).all()
    assert (corners <= np.array([width, height, width, height]) + 1e-9).all()
    np.testing.assert_allclose(clipped(once, width, height), once, atol=1e-9)


@given(MANY)
def test_corners_and_sizes_are_two_forms_of_one_box(some: np.ndarray) -> None:
    np.testing.assert_allclose(size_form(corner_form(some)), some, atol=1e-6)


def test_a_box_is_turned_about_its_top_left_corner() -> None:
    corners = rotated_corners(100, 50, 40, 20, 90)
    np.testing.assert_allclose(corners, [[100, 50], [100, 90], [80, 90], [80, 50]], atol=1e-9)
    np.testing.assert_allclose(around(corners), [80, 50, 20, 40], atol=1e-9)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_box_goes_where_its_pixels_go(orientation: int) -> None:
    stored = np.zeros((5, 7, 3), dtype=np.uint8)
    stored[1:3, 2:6] = 255  # x 2, y 1, width 4, height 2
    rows, columns = np.nonzero(upright(stored, orientation)[..., 0])
    seen = [columns.min(), rows.min(), np.ptp(columns) + 1, np.ptp(rows) + 1]
    assert turned(boxes((2, 1, 4, 2)), orientation, 7, 5).tolist() == [seen]
