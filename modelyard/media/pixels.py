"""An encoded picture as the pixels that a person sees, the same in training and in serving.

Choices, made here once:
- EXIF orientation is applied; coordinates count in the picture as it is then.
- 16-bit grey becomes 8-bit by its high byte (`>> 8`): 0-65535 is taken as black to white.
- What is transparent lies on white.
- Of several frames the first counts; colour profiles are not applied.
"""

from __future__ import annotations

import io
import struct
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import EnvironmentProblem

if TYPE_CHECKING:
    from PIL.Image import Image

FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "TIFF")
ENDINGS = frozenset({".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff"})
MOST_BYTES = 64 << 20
MOST_PIXELS = 1 << 26  # 67 megapixels: 200 MB of RGB
ORIENTATION = 0x0112  # the EXIF tag
# Orientations under which the picture that a person sees is as wide as the stored one is high.
SIDEWAYS = frozenset({5, 6, 7, 8})

_STARTS = {
    b"\x89PNG": ".png",
    b"\xff\xd8": ".jpg",
    b"BM": ".bmp",
    b"II": ".tif",
    b"MM": ".tif",
}

# uint8 [height, width, 3]
Pixels = np.ndarray[Any, np.dtype[np.uint8]]


@dataclass(frozen=True)
class Header:
    """What a file says of its picture before its pixels are decoded: the size as stored, and how to turn it (EXIF,
    1 to 8)."""

    stored_width: int
    stored_height: int
    orientation: int

    @property
    def width(self) -> int:
        """Of the picture as a person sees it."""
        return self.stored_height if self.orientation in SIDEWAYS else self.stored_width

    @property
    def height(self) -> int:
        return self.stored_width if self.orientation in SIDEWAYS else self.stored_height


def hold_pillow() -> None:
    """Raises EnvironmentProblem where Pillow is not there: not everybody has pictures."""
    try:
        import PIL.Image  # noqa: F401
    except ImportError as error:
        raise EnvironmentProblem(
            f"pictures are read by Pillow, which cannot be imported here: {error}",
            next="pip install 'modelyard[vision]'",
        ) from error


def ending_of(content: bytes) -> str:
    """The usual ending of a file of this format, by its first bytes; none where they are unknown."""
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return ".webp"
    return next((ending for start, ending in _STARTS.items() if content.startswith(start)), "")


def read_header(content: bytes) -> Header:
    """Raises ValueError for what is no picture that can be read, or too large."""
    with _guarded(), _opened(content) as image:
        orientation, (width, height) = _orientation(image), image.size
        if image.format == "TIFF" and orientation in SIDEWAYS:  # Pillow tells the size that a TIFF has when turned
            width, height = height, width
        return Header(width, height, orientation)


def decode_image(content: bytes) -> Pixels:
    """uint8 [height, width, 3], RGB, upright. Raises ValueError with what is wrong; the size is checked first."""
    with _guarded(), _opened(content) as image:
        image.load()  # which turns a TIFF
        orientation = _orientation(image)
        pixels = np.asarray(_rgb(image))
    return np.ascontiguousarray(upright(pixels, orientation))


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """The stored pixels as a person sees them. orientation: as in EXIF 2.32, tag 0x0112."""
    if orientation in SIDEWAYS:
        pixels = pixels.swapaxes(0, 1)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return pixels


class _guarded(warnings.catch_warnings):  # noqa: N801 - used as `with _guarded():`
    """What Pillow raises for a damaged file, as ValueError; what it warns of is not for our readers."""

    def __enter__(self) -> None:
        super().__enter__()
        warnings.simplefilter("ignore")

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        super().__exit__(kind, error, trace)
        if isinstance(error, OSError | SyntaxError | EOFError | OverflowError | struct.error | KeyError | TypeError):
            said = str(error).strip() or type(error).__name__
            raise ValueError(f"a damaged picture: {said}") from error


def _opened(content: bytes) -> Image:
    """The picture with its header read."""
    hold_pillow()
    from PIL import Image, UnidentifiedImageError

    if not content:
        raise ValueError("an empty file, not a picture")
    if len(content) > MOST_BYTES:
        raise ValueError(f"a file of {len(content) / 1e6:,.0f} MB; at most {MOST_BYTES / 1e6:,.0f} MB are read")
    try:
        image = Image.open(io.BytesIO(content), formats=FORMATS)
    except UnidentifiedImageError:
        raise ValueError(f"not a picture that is read here ({', '.join(FORMATS)})") from None
    except Image.DecompressionBombError:
        raise ValueError(f"more pixels than the {MOST_PIXELS / 1e6:,.0f} million that are read") from None
    width, height = image.size
    if width * height > MOST_PIXELS:
        image.close()
        raise ValueError(
            f"{width:,} x {height:,} pixels; at most {MOST_PIXELS / 1e6:,.0f} million are read"  # before decoding any
        )
    return image


def _orientation(image: Image) -> int:
    """1 where the file says nothing that can be read."""
    try:
        found = image.getexif().get(ORIENTATION, 1)
    except (SyntaxError, ValueError, KeyError, TypeError, struct.error):
        return 1
    return found if found in range(1, 9) else 1


def _rgb(image: Image) -> Image:
    from PIL import Image

    if image.mode.startswith("I;16"):
        grey = np.asarray(image).astype(np.uint16) >> 8
        return Image.fromarray(grey.astype(np.uint8)).convert("RGB")
    if image.mode in ("I", "F"):
        raise ValueError("32-bit grey, whose black and white are not known; save it with 8 or 16 bits")
    if image.has_transparency_data:
        seen = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", seen.size, "white"), seen).convert("RGB")
    return image.convert("RGB")
