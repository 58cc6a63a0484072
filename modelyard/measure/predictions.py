"""What a variant of a package answers, in this process: the same pipeline and runtime as the server's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from modelyard.runtimes.variants import open_variant
from modelyard.store import Package
from modelyard.tasks import Pipeline
from modelyard.tasks.pipeline import Graph, Prepared, Tensors
from modelyard.tasks.sequences import of_one_width

# Small and of one length, as the server forms its batches: what dynamic INT8 answers depends a little on the batch.
BATCH = 4


def raw_outputs(package: Package, variant: str, pipeline: Pipeline, items: Sequence[Prepared], threads: int) -> Tensors:
    """Raw outputs of all items in their order, first axis the items."""
    spec = next(candidate for candidate in package.variants if candidate["name"] == variant)
    return all_outputs(pipeline, open_variant(package, spec, threads), items, BATCH)


def all_outputs(pipeline: Pipeline, graphs: Mapping[str, Graph], items: Sequence[Prepared], batch: int) -> Tensors:
    """The same of open graphs, run in batches of like length."""
    order = np.argsort([item.size for item in items], kind="stable")
    outputs: Tensors = {}
    for start in range(0, len(order), batch):
        rows = order[start : start + batch]
        for name, values in pipeline.run(graphs, pipeline.collate([items[row] for row in rows])).items():
            if name not in outputs:
                outputs[name] = np.empty((len(items), *values.shape[1:]), values.dtype)
            if outputs[name].shape[1:] != values.shape[1:]:
                outputs[name], values = of_one_width(outputs[name], values)
            outputs[name][rows] = values
    return outputs
