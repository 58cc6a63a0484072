"""Datatypes of the Open Inference Protocol as NumPy has them, and texts in its raw form.

Source: KServe "Open Inference Protocol (V2)", and Triton's binary tensor data extension: little-endian, row-major;
a BYTES element is its length (uint32) followed by its bytes.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelyard.tasks.pipeline import Array

MAX_NAME = 256  # characters of an input's or output's name that the server takes
BYTES = "BYTES"
DTYPES: dict[str, np.dtype[Any]] = {
    name: np.dtype(code)
    for name, code in {
        "BOOL": "?",
        "UINT8": "u1",
        "UINT16": "<u2",
        "UINT32": "<u4",
        "UINT64": "<u8",
        "INT8": "i1",
        "INT16": "<i2",
        "INT32": "<i4",
        "INT64": "<i8",
        "FP16": "<f2",
        "FP32": "<f4",
        "FP64": "<f8",
    }.items()
}
_NAMES = {dtype.str: name for name, dtype in DTYPES.items()}
_LENGTH = struct.Struct("<I")


def datatype_of(array: Array) -> str | None:
    """The protocol's name of an array's type, None when it has none; object arrays hold BYTES elements."""
    return BYTES if array.dtype == object else _NAMES.get(array.dtype.str)


def join_bytes(elements: Sequence[str | bytes]) -> bytes:
    """The raw form of BYTES elements; every byte is kept, trailing NULs too."""
    parts = []
    for element in elements:
        encoded = element.encode() if isinstance(element, str) else bytes(element)
        parts.append(_LENGTH.pack(len(encoded)))
        parts.append(encoded)
    return b"".join(parts)


def split_bytes(raw: bytes | memoryview) -> list[bytes]:
    """Length-prefixed elements to a list. Raises ValueError when the last one is cut off."""
    elements, place, end = [], 0, len(raw)
    while place < end:
        if place + 4 > end:
            raise ValueError("the binary data ends in the middle of an element's length")
        (size,) = _LENGTH.unpack_from(raw, place)
        place += 4
        if place + size > end:
            raise ValueError(f"an element of {size} bytes is cut off")
        elements.append(bytes(raw[place : place + size]))
        place += size
    return elements


def texts(elements: Sequence[str | bytes], shape: Sequence[int]) -> Array:
    """BYTES elements as the object array of str that ONNX Runtime takes. Raises ValueError for what is not UTF-8.

    Bytes must not reach the runtime: it takes Python's way of writing them (`b'...'`) for the text.
    """
    array: Array = np.empty(len(elements), dtype=object)
    for place, element in enumerate(elements):
        if isinstance(element, str):
            element.encode()
            array[place] = element
            continue
        try:
            array[place] = bytes(element).decode()
        except UnicodeDecodeError as error:
            raise ValueError(
                f"element {place} is not UTF-8: byte {error.start} is 0x{element[error.start]:02x}"
            ) from None
    return array.reshape(tuple(shape))
