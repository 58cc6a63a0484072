"""The golden set of a `tensor` package: whole requests and answers, one array an input or output of each.

Two safetensors files with `{item}/{name}` as keys. Texts lie there in V2's raw form (uint8), their shape beside them
under `shape/{item}/{name}`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.tensor.datatypes import join_bytes, split_bytes, texts

SUFFIX = ".safetensors"
SHAPE = "shape"


def write_tensors(path: Path, items: Sequence[Tensors]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pack(items))


def pack(items: Sequence[Tensors]) -> bytes:
    """Items in their order; any array that the protocol carries, scalars and empty ones too."""
    from safetensors.numpy import save

    arrays: dict[str, Array] = {}
    for place, item in enumerate(items):
        for name, array in item.items():
            key = f"{place}/{name}"
            if array.dtype == object:
                arrays[key] = np.frombuffer(join_bytes(array.ravel().tolist()), dtype=np.uint8)
                arrays[f"{SHAPE}/{key}"] = np.array(array.shape, dtype=np.int64)
            else:
                # Not ascontiguousarray: it makes a vector of a scalar.
                arrays[key] = np.array(array, order="C")
    return save(arrays)


def read_tensors(data: bytes) -> list[Tensors]:
    """Raises ValueError, KeyError, or safetensors' own error for what was not made by `pack`."""
    from safetensors.numpy import load

    arrays: Mapping[str, Any] = load(data)
    items: dict[int, Tensors] = {}
    for key, array in arrays.items():
        place, _, name = key.partition("/")
        if place == SHAPE:
            continue
        shape = arrays.get(f"{SHAPE}/{key}")
        if shape is not None:
            array = texts(split_bytes(array.tobytes()), shape.tolist())
        items.setdefault(int(place), {})[name] = array
    if sorted(items) != list(range(len(items))):
        raise ValueError(f"it holds the items {sorted(items)}")
    return [items[place] for place in range(len(items))]
