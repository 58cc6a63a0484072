"""Pictures of every kind as the pixels that a person sees. The oracle is Pillow's own exif_transpose."""

from __future__ import annotations

import io
import struct
import sys
import zlib
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageOps

from modelyard.errors import EnvironmentProblem
from modelyard.media import pixels
from modelyard.media.pixels import ORIENTATION, decode_image, read_header

RNG = np.random.default_rng(5)
COLOURS = RNG.integers(0, 256, (5, 7, 3), dtype=np.uint8)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def turned(orientation: int, kind: str = "PNG") -> bytes:
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    lossless = {"lossless": True} if kind == "WEBP" else {}
    return encoded(Image.fromarray(COLOURS), kind, exif=exif, **lossless)


@pytest.mark.parametrize("kind", ["PNG", "TIFF", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_a_picture_is_turned_as_exif_says(orientation: int, kind: str) -> None:
    content = turned(orientation, kind)
    with Image.open(io.BytesIO(content)) as image:
        expected = np.asarray(ImageOps.exif_transpose(image).convert("RGB"))
    np.testing.assert_array_equal(decode_image(content), expected)
    header = read_header(content)
    assert (header.height, header.width) == expected.shape[:2]
    assert (header.stored_height, header.stored_width, header.orientation) == (5, 7, orientation)


@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_16_bit_grey_keeps_its_high_byte_and_does_not_turn_white(kind: str) -> None:
    grey = (np.arange(12, dtype=np.uint16) * 5000).reshape(3, 4)
    found = decode_image(encoded(Image.fromarray(grey), kind))
    np.testing.assert_array_equal(found, np.repeat((grey >> 8).astype(np.uint8)[..., None], 3, axis=2))


def test_what_is_transparent_lies_on_white() -> None:
    clear = np.zeros((2, 2, 4), dtype=np.uint8)
    clear[0, 0] = (10, 20, 30, 255)
    found = decode_image(encoded(Image.fromarray(clear), "PNG"))
    assert found[0, 0].tolist() == [10, 20, 30]
    assert (found[1] == 255).all()


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_usual_mode_becomes_rgb(mode: str) -> None:
    kind = "TIFF" if mode == "CMYK" else "PNG"
    found = decode_image(encoded(Image.fromarray(COLOURS).convert(mode), kind))
    assert (found.shape, found.dtype) == ((5, 7, 3), np.uint8)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "empty"),
        (b"text,label\n", "not a picture"),
        (b"GIF89a" + bytes(40), "not a picture"),
        (turned(1)[:60], "damaged"),
        (turned(1, "JPEG")[:300], "damaged"),
        (encoded(Image.fromarray(np.zeros((2, 2), np.int32)), "TIFF"), "32-bit grey"),
    ],
)
def test_what_cannot_be_read_says_why(content: bytes, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        decode_image(content)


def bomb(width: int, height: int) -> bytes:
    """A PNG that says it has so many pixels, and holds none."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b"")


@pytest.mark.parametrize("size", [(10_000, 7_000), (60_000, 60_000), (2**31 - 1, 2**31 - 1)])
def test_too_many_pixels_are_refused_before_any_is_decoded(size: tuple[int, int]) -> None:
    for read in (decode_image, read_header):
        with pytest.raises(ValueError, match="67 million"):
            read(bomb(*size))


def test_a_file_of_too_many_bytes_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "MOST_BYTES", 20)
    with pytest.raises(ValueError, match="are read"):
        decode_image(turned(1))


@given(st.data())
def test_bytes_that_are_damaged_anywhere_are_read_or_refused_in_words(data: st.DataObject) -> None:
    content = bytearray(
        turned(data.draw(st.integers(1, 8)), data.draw(st.sampled_from(["PNG", "JPEG", "TIFF", "WEBP"])))
    )
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        found = decode_image(bytes(content))
    except ValueError:
        return
    assert found.dtype == np.uint8
    assert found.shape[2] == 3


def test_without_pillow_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    content = turned(1)
    monkeypatch.setitem(sys.modules, "PIL", None)
    for reads in (decode_image, read_header):
        with pytest.raises(EnvironmentProblem, match="Pillow") as error:
            reads(content)
        assert error.value.next == "pip install 'modelyard[vision]'"
