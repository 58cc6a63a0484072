"""A picture small enough to lie in a report."""

from __future__ import annotations

import io

from modelyard.media.pixels import decode_image

SIDE = 64  # pixels of the longer side at most
QUALITY = 80


def thumbnail(content: bytes) -> bytes:
    """JPEG of an encoded picture, upright, never enlarged. Raises ValueError for what is none."""
    from PIL import Image

    image = Image.fromarray(decode_image(content))
    image.thumbnail((SIDE, SIDE))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=QUALITY)
    return file.getvalue()
