"""Inputs for a graph that somebody gave: an .npz file with an array for every input. Nothing in it is unpickled."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.stages.adopt.graph_tensors import GraphTensor
from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.tensor.datatypes import BYTES, DTYPES

MOST_BYTES = 1 << 30  # of the arrays, unpacked
HOW = "numpy.savez(path, **{name: array}): an array of every input's own shape, or one axis more for several requests"


def read_npz(path: Path) -> dict[str, Array]:
    """Arrays by name. Raises BadInput for what is no .npz, is too large, or holds Python objects."""
    try:
        with zipfile.ZipFile(path) as archive:
            size = sum(member.file_size for member in archive.infolist())
            if size > MOST_BYTES:
                raise BadInput(
                    f"{path.name} holds {size / 1e9:.1f} GB of arrays, at most {MOST_BYTES / 1e9:.1f} are read",
                    where=str(path),
                    next="give some requests of it: a golden set needs a few",
                )
        with np.load(path, allow_pickle=False) as loaded:
            return {name: loaded[name] for name in loaded.files}
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror or error}", where=str(path)) from None
    except BadInput:
        raise
    except Exception as error:  # a dozen classes: zipfile, zlib, struct, NumPy's header reader
        objects = "allow_pickle" in str(error)
        raise BadInput(
            f"{path.name} holds Python objects, which are not read"
            if objects
            else f"{path.name} is no .npz file: {' '.join(str(error).split())[:200]}",
            where=str(path),
            next="save texts as numpy.array([...], dtype=str)" if objects else HOW,
        ) from None


def with_ranks(tensors: Sequence[GraphTensor], given: Mapping[str, Array]) -> list[GraphTensor]:
    """Inputs of which the graph does not even say the number of axes have those of what was given."""
    known = []
    for tensor in tensors:
        if tensor.axes is None and tensor.name in given:
            axes = tuple(f"axis {place} of {tensor.name}" for place in range(given[tensor.name].ndim))
            tensor = replace(tensor, axes=axes)
        known.append(tensor)
    return known


def requests(tensors: Sequence[GraphTensor], given: Mapping[str, Array], path: Path) -> list[Tensors]:
    """One request of arrays that have the inputs' own shapes; several where each has one axis more.

    Raises BadInput that names the input which is missing, too many, or does not fit.
    """
    names = [tensor.name for tensor in tensors]
    for name in [*names, *given]:
        if name not in given or name not in names:
            raise BadInput(
                f"{path.name} has the arrays {', '.join(given) or '(none)'}; the inputs are {', '.join(names)}",
                where=f"{path}, {name}",
                next=HOW,
            )
    arrays = {tensor.name: _cast(tensor, given[tensor.name], path) for tensor in tensors}
    extra = {tensor.name: arrays[tensor.name].ndim - len(tensor.axes or ()) for tensor in tensors}
    if set(extra.values()) != {1}:
        for tensor in tensors:
            if extra[tensor.name]:
                raise _misfit(tensor, arrays[tensor.name], path)
        found = [arrays]
    else:
        counts = {name: len(array) for name, array in arrays.items()}
        if len(set(counts.values())) != 1 or not min(counts.values()):
            raise BadInput(
                f"the arrays do not hold the same requests: {', '.join(f'{n} {count}' for n, count in counts.items())}",
                where=str(path),
                next=HOW,
            )
        # With an ellipsis, which leaves an array without axes an array.
        found = [{name: array[place, ...] for name, array in arrays.items()} for place in range(counts[names[0]])]
    for request in found:
        _check(tensors, request, path)
    return found


def _check(tensors: Sequence[GraphTensor], request: Tensors, path: Path) -> None:
    """Fixed axes have their size, and those of one name the same."""
    sizes: dict[str, tuple[int, str]] = {}
    for tensor in tensors:
        array = request[tensor.name]
        for axis, size in zip(tensor.axes or (), array.shape, strict=True):
            if isinstance(axis, int) and axis != size:
                raise _misfit(tensor, array, path)
            if isinstance(axis, str) and sizes.setdefault(axis, (size, tensor.name))[0] != size:
                other, name = sizes[axis]
                raise BadInput(
                    f"the axis {axis} has the size {other} in {name} and {size} in {tensor.name}",
                    where=str(path),
                    next="give both the same size",
                )


def _cast(tensor: GraphTensor, array: Array, path: Path) -> Array:
    """To the input's datatype, where no value changes but by rounding floats. Raises BadInput."""
    wrong = BadInput(
        f"the array {tensor.name} is {array.dtype}, the input is {tensor.datatype}", where=str(path), next=HOW
    )
    if tensor.datatype == BYTES:
        return _texts(array, wrong)
    wanted = DTYPES[tensor.datatype]
    if array.dtype == wanted:
        return array
    kinds = {"b": "b", "i": "iu", "u": "iu", "f": "fiu"}[wanted.kind]
    if array.dtype.kind not in kinds:
        raise wrong
    if wanted.kind in "iu" and array.size:
        bounds = np.iinfo(wanted)
        if int(array.min()) < bounds.min or int(array.max()) > bounds.max:
            raise BadInput(
                f"the array {tensor.name} holds a number that is out of the range of {tensor.datatype}",
                where=str(path),
                next="give numbers that the graph takes",
            )
    with np.errstate(over="ignore"):
        return array.astype(wanted)


def _texts(array: Array, wrong: BadInput) -> Array:
    if array.dtype.kind not in "US":
        raise wrong
    words: Array = np.empty(array.shape, dtype=object)
    values: list[Any] = array.ravel().tolist()
    try:
        words.ravel()[:] = [value.decode() if isinstance(value, bytes) else value for value in values]
    except UnicodeDecodeError:
        raise wrong from None
    return words


def _misfit(tensor: GraphTensor, array: Array, path: Path) -> BadInput:
    shape = [axis if isinstance(axis, int) else -1 for axis in tensor.axes or ()]
    return BadInput(
        f"the array {tensor.name} has the shape {list(array.shape)}, the input {shape} (-1 is any size)",
        where=str(path),
        next=HOW,
    )
