from __future__ import annotations

import numpy as np
import pytest

from modelyard.media.letterbox import FILL, letterbox


@pytest.mark.parametrize(("width", "height"), [(64, 32), (32, 64), (50, 50), (7, 3), (400, 100), (1, 300)])
def test_a_picture_keeps_its_proportions_in_the_corner_of_the_square(width, height):
    picture = np.full((height, width, 3), 200, dtype=np.uint8)
    square, (x_scale, y_scale, was_wide, was_high) = letterbox(picture, 96)
    assert square.shape == (3, 96, 96)
    assert (was_wide, was_high) == (width, height)
    wide, high = round(width * float(x_scale)), round(height * float(y_scale))
    assert max(wide, high) == 96
    assert (square[:, :high, :wide] == 200).all()
    assert (square[:, high:] == FILL).all()
    assert (square[:, :, wide:] == FILL).all()


def test_a_picture_of_the_right_size_is_not_touched():
    picture = np.random.default_rng(0).integers(0, 256, (40, 96, 3), dtype=np.uint8)
    square, frame = letterbox(picture, 96)
    assert np.array_equal(square[:, :40].transpose(1, 2, 0), picture)
    assert frame.tolist() == [1.0, 1.0, 96.0, 40.0]
