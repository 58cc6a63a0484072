from __future__ import annotations

import pytest

from modelyard.media.pixels import decode_image
from modelyard.media.thumbnail import thumbnail
from tests.pictures import encoded, pixels


def test_a_large_picture_becomes_small_with_its_proportions_and_upright():
    assert decode_image(thumbnail(encoded(0, 640, 320))).shape == (32, 64, 3)
    assert decode_image(thumbnail(encoded(0, 640, 320, "JPEG", orientation=6))).shape == (64, 32, 3)


def test_a_small_picture_keeps_its_size_and_looks():
    small = decode_image(thumbnail(encoded(1, 24, 16)))
    assert small.shape == (16, 24, 3)
    assert abs(small.astype(int).mean() - pixels(1).mean()) < 3


def test_what_is_no_picture_has_no_thumbnail():
    with pytest.raises(ValueError, match="not a picture"):
        thumbnail(b"a text")
