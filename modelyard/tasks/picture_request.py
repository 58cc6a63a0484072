"""The picture in a request: its bytes, whichever door they came through."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from typing import Any

from modelyard.errors import BadInput
from modelyard.media.pixels import Pixels, decode_image

INPUT = "image"


def read_picture(item: Mapping[str, Any]) -> Pixels:
    """uint8 [height, width, 3] of the file of an item. Raises BadInput for what is no picture."""
    content = read_bytes(item)
    try:
        return decode_image(content)
    except ValueError as error:
        raise BadInput(f"the image cannot be read: {error}", where=INPUT, next="send a PNG or JPEG file") from None


def read_bytes(item: Mapping[str, Any]) -> bytes:
    """The file of an item: its bytes, or Base64 of them as JSON carries it. Raises BadInput."""
    value = item.get(INPUT)
    if value is None:
        raise BadInput(f"the input {INPUT} is missing", where=INPUT, next="send the bytes of a PNG or JPEG file")
    if isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            raise BadInput(
                "the image is neither bytes nor Base64",
                where=INPUT,
                next="send the file as raw bytes (binary extension, gRPC), or its Base64 in JSON",
            ) from None
    if not isinstance(value, bytes | bytearray | memoryview):
        raise BadInput(f"the image is {type(value).__name__}, not bytes", where=INPUT, next="send a file's bytes")
    return bytes(value)
