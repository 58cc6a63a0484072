"""A graph by itself: tensors in, tensors out, nothing prepared and nothing decoded."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Array, Graph, Pipeline, Prepared, Tensors
from modelyard.tasks.tensor.datatypes import BYTES, DTYPES, datatype_of

Spec = tuple[str, tuple[int, ...]]  # datatype, shape with -1 for a free axis


class TensorPipeline(Pipeline):
    """An item is what one request holds: an array for every input, with its batch axis if it has one.

    batch: whether the first axis of every input and output is one of rows that do not see each other, so that items
    of equal trailing shapes may be run together.
    """

    def __init__(self, inputs: Mapping[str, Spec], *, batch: bool) -> None:
        self._inputs = dict(inputs)
        self._batch = batch

    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        """Raises BadInput that names the input which is missing or does not fit."""
        features: Tensors = {}
        for name, (datatype, shape) in self._inputs.items():
            if name not in item:
                raise BadInput(f"the input {name} is missing", where=name)
            array = np.asarray(item[name])
            found = datatype_of(array)
            if found != datatype:
                raise BadInput(f"input {name}: its datatype is {datatype}, not {found or array.dtype}", where=name)
            if not fits(shape, array.shape):
                raise BadInput(
                    f"input {name}: its shape is {list(shape)} (-1 is any size), not {list(array.shape)}", where=name
                )
            features[name] = array
        return Prepared(features, size=self._rows(features))

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        """Items along the first axis. Raises BadInput for several items of a graph that has no batch axis."""
        if len(items) == 1:
            return items[0].features
        if not self._batch:
            raise BadInput("the graph has no batch axis: it takes one request at a time")
        return {name: np.concatenate([item.features[name] for item in items]) for name in self._inputs}

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        return graphs["model"].run(feeds)

    def decode(self, outputs: Tensors) -> Tensors:
        return outputs

    def _rows(self, features: Tensors) -> int:
        return int(next(iter(features.values())).shape[0]) if self._batch else 1


def fits(pattern: Sequence[int], shape: Sequence[int]) -> bool:
    """Whether a shape fits a signature's, where -1 is any size."""
    return len(pattern) == len(shape) and all(p in (-1, n) for p, n in zip(pattern, shape, strict=True))


def read_specs(tensors: Sequence[Mapping[str, Any]]) -> dict[str, Spec]:
    """One side of a signature in package.json. Raises KeyError, TypeError or ValueError for what is none."""
    specs = {str(one["name"]): (str(one["datatype"]), tuple(int(size) for size in one["shape"])) for one in tensors}
    unknown = sorted({datatype for datatype, _ in specs.values()} - {BYTES, *DTYPES})
    if unknown:
        raise ValueError(f"there is no datatype {unknown[0]}")
    return specs
