"""Tensors of requests and answers: JSON data, raw bytes, shapes, and what is refused (datatypes: tasks/tensor)."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.serve.problems import Problem, shortened
from modelyard.tasks.pipeline import Array
from modelyard.tasks.tensor.datatypes import BYTES, DTYPES, MAX_NAME, datatype_of, join_bytes, split_bytes
from modelyard.tasks.tensor.pipeline import fits

# Python types that JSON data may have, by kind of dtype.
JSON_TYPES: dict[str, set[type]] = {"b": {bool}, "i": {int}, "u": {int}, "f": {int, float}}
MAX_DIMENSIONS = 16
MAX_ELEMENTS = 1 << 31  # of a tensor, an axis of size 0 counted as 1: NumPy cannot make every empty shape either


# Told name, datatype and shape of an input before its data are read; raises Problem.
Check = Callable[[str, str, tuple[int, ...]], None]


def unchecked(name: str, datatype: str, shape: tuple[int, ...]) -> None:
    """Where no signature is at hand."""


@dataclass(slots=True)
class Tensor:
    """data: an array of that shape, or for BYTES the flat list of elements (str from JSON, bytes otherwise)."""

    name: str
    datatype: str
    shape: tuple[int, ...]
    data: Any


def check_name(name: object, what: str) -> str:
    """The name of an input or output. Raises Problem 400."""
    if not isinstance(name, str):
        raise Problem(400, f"{what} must be an object with a name, its name is {shortened(name)}")
    if len(name) > MAX_NAME:
        raise Problem(400, f"{what} has a name of {len(name)} characters, the limit is {MAX_NAME}")
    return name


def check_datatype(name: str, datatype: object) -> str:
    """Raises Problem 400 for a datatype that does not exist or that nothing here can hold (BF16)."""
    if not isinstance(datatype, str) or (datatype != BYTES and datatype not in DTYPES):
        raise Problem(400, f"input {name}: there is no datatype {shortened(datatype)}")
    return datatype


def check_shape(name: str, shape: object) -> tuple[int, ...]:
    """A list of whole numbers from 0. Raises Problem 400."""
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape):
        raise Problem(400, f"input {name}: shape must be a list of numbers from 0, not {shortened(shape)}")
    if len(shape) > MAX_DIMENSIONS:
        raise Problem(400, f"input {name}: shape has {len(shape)} axes, the limit is {MAX_DIMENSIONS}")
    if math.prod(size or 1 for size in shape) > MAX_ELEMENTS:
        raise Problem(400, f"input {name}: no tensor is as large as shape {shortened(shape)} says")
    return tuple(shape)


def from_json(name: str, datatype: str, shape: tuple[int, ...], data: object) -> Tensor:
    """`data` of the JSON form, flat or nested as the shape says. Raises Problem 400 naming the input."""
    if not isinstance(data, list):
        raise Problem(400, f"input {name}: data must be a list, not {shortened(data)}")
    elements = _flattened(name, shape, data) if data and isinstance(data[0], list) else data
    if len(elements) != math.prod(shape):
        raise Problem(
            400, f"input {name}: shape {list(shape)} holds {math.prod(shape)} elements, data has {len(elements)}"
        )
    # Types are checked before NumPy sees the list: one long string among numbers would make it allocate gigabytes.
    allowed = JSON_TYPES[DTYPES[datatype].kind] if datatype != BYTES else {str}
    if not set(map(type, elements)) <= allowed:
        wrong = next(element for element in elements if type(element) not in allowed)
        raise Problem(400, f"input {name}: data holds {shortened(wrong)}, which is not {datatype}")
    if datatype == BYTES:
        return Tensor(name, datatype, shape, elements)
    return Tensor(name, datatype, shape, _array(name, datatype, elements).reshape(shape))


def _flattened(name: str, shape: tuple[int, ...], data: list[Any]) -> list[Any]:
    """Nested lists to a flat one, each level as long as the shape says."""
    level = [data]
    for size in shape:
        for part in level:
            if not isinstance(part, list) or len(part) != size:
                raise Problem(400, f"input {name}: data is not nested as its shape {list(shape)} says")
        level = [element for part in level for element in part]
    return level


def _array(name: str, datatype: str, elements: list[Any]) -> Array:
    """Numbers of the right Python types to the datatype. Raises Problem 400 for what it cannot hold."""
    try:
        with np.errstate(over="ignore"):
            # Told the type at once: left to itself NumPy makes float64 of 1 beside 2**63.
            array: Array = np.array(elements, dtype=DTYPES[datatype])
    except OverflowError:
        array = np.array([np.inf])
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise Problem(400, f"input {name}: data holds a number out of the range of {datatype}")
    return array


def from_bytes(name: str, datatype: str, shape: tuple[int, ...], raw: bytes | memoryview) -> Tensor:
    """The raw form. Raises Problem 400 when the bytes do not hold exactly what the shape says."""
    count = math.prod(shape)
    if datatype == BYTES:
        try:
            elements = split_bytes(raw)
        except ValueError as error:
            raise Problem(400, f"input {name}: {error}") from None
        if len(elements) != count:
            raise Problem(400, f"input {name}: shape {list(shape)} holds {count} elements, data has {len(elements)}")
        return Tensor(name, datatype, shape, elements)
    dtype = DTYPES[datatype]
    if len(raw) != count * dtype.itemsize:
        raise Problem(
            400,
            f"input {name}: {datatype} of shape {list(shape)} takes {count * dtype.itemsize} bytes, {len(raw)} given",
        )
    array: Array = np.frombuffer(raw, dtype=dtype)
    if datatype == "BOOL":
        array = array.view(np.uint8) != 0  # any other byte than 0 and 1 would be no boolean to a graph
    elif not array.flags.aligned:
        array = array.copy()  # data begin where the JSON before them ends
    return Tensor(name, datatype, shape, array.reshape(shape))


def to_bytes(array: Array) -> bytes:
    """An output array in raw form; object arrays hold BYTES elements."""
    if array.dtype == object:
        return join_bytes(array.ravel().tolist())
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<")).tobytes()


def answered_datatype(array: Array) -> str:
    """The protocol's name of an output's type. Raises Problem 500 when it has none."""
    name = datatype_of(array)
    if name is None:
        raise Problem(500, f"the model answers {array.dtype}, which the protocol cannot carry")
    return name


def first_not_finite(array: Array) -> str | None:
    """`nan`, `inf` or `-inf` with its place, or None. JSON has no way to write these."""
    if array.dtype.kind != "f" or np.isfinite(array).all():
        return None
    place = tuple(int(n) for n in np.argwhere(~np.isfinite(array))[0])
    return f"{float(array[place])} at {list(place)}"


def fits_items(pattern: Sequence[int], shape: Sequence[int]) -> bool:
    """`fits` for raw items: [n, 1] counts as [n], some clients write it so."""
    return fits(pattern, shape) or (list(pattern) == [-1] and len(shape) == 2 and shape[1] == 1)
