"""Image: a picture, kept as the bytes of its file."""

from __future__ import annotations

from collections import OrderedDict
from hashlib import blake2b
from typing import Any

import numpy as np
import pyarrow as pa

from modelyard.media.pixels import decode_image, ending_of

REMEMBERED = 4096


class Image:
    """The file as it was given: nothing is encoded anew. What makes two pictures the same is their pixels, upright and
    in RGB, whatever the file is called and however it is encoded."""

    name = "image"

    def __init__(self) -> None:
        # What `read` has decoded `canonical` need not decode again: the digest of the file to that of the pixels.
        self._known: OrderedDict[bytes, bytes] = OrderedDict()

    def arrow_type(self) -> pa.DataType:
        return pa.large_binary()

    def read(self, value: Any) -> bytes | None:
        """value: the bytes of a file, or as `datasets` writes them, {"bytes": ..., "path": ...}."""
        if isinstance(value, dict) and "bytes" in value:
            if value["bytes"] is None and value.get("path"):
                raise ValueError(f"only a path ({value['path']}), not the picture itself")
            value = value["bytes"]
        if value is None or value == "":
            return None
        if not isinstance(value, bytes):
            raise ValueError(f"{type(value).__name__}, not the bytes of a picture")
        self.canonical(value)
        return value

    def file_ending(self, value: Any) -> str:
        return ending_of(value)

    def canonical(self, value: Any) -> bytes:
        """BLAKE2b-256 of height and width (4 bytes each, big-endian) and the RGB pixels, row by row."""
        file = blake2b(value, digest_size=16).digest()
        known = self._known.get(file)
        if known is None:
            pixels = decode_image(value)
            digest = blake2b(np.array(pixels.shape[:2], dtype=">u4").tobytes(), digest_size=32)
            digest.update(pixels.data)
            known = self._known[file] = digest.digest()
            if len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return known
