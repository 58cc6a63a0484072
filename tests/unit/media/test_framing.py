from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from modelyard.media.framing import FILTERS, SHORTER, STRETCH, Framing
from tests.pictures import pixels


@given(
    st.integers(1, 90),
    st.integers(1, 90),
    st.integers(1, 40),
    st.integers(0, 20),
    st.sampled_from([STRETCH, SHORTER]),
    st.sampled_from(FILTERS),
)
@settings(max_examples=60, deadline=None)
def test_any_picture_fills_the_square(width, height, side, more, resize, resample):
    framed = Framing(side, resize, side + more, resample).frame(pixels(0, width, height))
    assert (framed.shape, framed.dtype, framed.flags["C_CONTIGUOUS"]) == ((3, side, side), np.uint8, True)


def test_the_middle_of_what_was_scaled_by_its_shorter_side_is_cut_out():
    given_ = pixels(1, 60, 30)
    framed = Framing(20, SHORTER, 24, "bicubic").frame(given_)
    scaled = np.asarray(Image.fromarray(given_).resize((48, 24), Image.Resampling.BICUBIC))
    assert np.array_equal(framed.transpose(1, 2, 0), scaled[2:22, 14:34])


def test_a_picture_that_fits_is_taken_as_it_is():
    given_ = pixels(2, 16, 16)
    for resize in (STRETCH, SHORTER):
        assert np.array_equal(Framing(16, resize).frame(given_).transpose(1, 2, 0), given_)


def test_a_line_of_pixels_is_refused_and_not_blown_up():
    line = np.zeros((1, 1 << 20, 3), dtype=np.uint8)
    with pytest.raises(ValueError, match="too narrow"):
        Framing(224, SHORTER).frame(line)
    assert Framing(8).frame(line).shape == (3, 8, 8)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((0,), "less than one pixel"),
        ((32, STRETCH, 16), "cannot be cut out"),
        ((32, "letterbox"), "not stretch or shorter"),
        ((32, STRETCH, 32, "magic"), "not one of nearest"),
    ],
)
def test_framings_that_make_no_sense_are_refused(arguments, said):
    with pytest.raises(ValueError, match=said):
        Framing(*arguments)


def test_a_framing_comes_back_from_a_package():
    framing = Framing(224, SHORTER, 256, "bicubic")
    assert Framing.of_json(framing.as_json()) == framing
    assert framing.as_json() == {"image_size": 224, "resize": "shorter", "scaled": 256, "resample": "bicubic"}
