"""What a variant of a package answers, in this process: the same pipeline and runtime as the server's."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from modelyard.runtimes.variants import open_variant
from modelyard.store import Package
from modelyard.tasks import Pipeline
from modelyard.tasks.task import Array, Prepared, Tensors

# Small and of one length, as the server forms its batches: what dynamic INT8 answers depends a little on the batch.
BATCH = 4


def raw_outputs(package: Package, variant: str, pipeline: Pipeline, items: Sequence[Prepared], threads: int) -> Tensors:
    """Raw outputs of all items in their order, first axis the items."""
    spec = next(candidate for candidate in package.variants if candidate["name"] == variant)
    graphs = open_variant(package, spec, threads)
    order = sorted(range(len(items)), key=lambda index: (items[index].size, index))
    found: dict[str, list[Array]] = {}
    for start in range(0, len(order), BATCH):
        feeds = pipeline.collate([items[index] for index in order[start : start + BATCH]])
        for name, values in pipeline.run(graphs, feeds).items():
            found.setdefault(name, []).append(values)
    back = np.argsort(order)
    return {name: np.concatenate(parts)[back] for name, parts in found.items()}
