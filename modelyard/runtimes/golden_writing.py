"""Writing the golden set of a package: inputs that span all sizes, with the reference's raw outputs."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.runtimes.golden import BASE64, FIRST
from modelyard.tasks.pipeline import Graph, Pipeline, Prepared
from modelyard.tasks.sequences import of_one_width

INPUTS = "golden/inputs.jsonl"
OUTPUTS = "golden/outputs.safetensors"


def spread(sizes: Sequence[int], count: int) -> list[int]:
    """`count` rows evenly spaced over the rows sorted by size, ordered so that the first FIRST span all sizes too."""
    order = np.argsort(np.asarray(sizes), kind="stable")
    count = min(count, len(order))
    chosen = [int(order[place]) for place in np.linspace(0, len(order) - 1, count).round().astype(int)]
    stride = max(1, count // FIRST)
    return [chosen[place] for place in sorted(range(count), key=lambda place: (place % stride, place))]


def write_golden(
    folder: Path,
    pipeline: Pipeline,
    reference: Mapping[str, Graph],
    items: Sequence[Mapping[str, Any]],
    prepared: Sequence[Prepared],
) -> dict[str, Any]:
    """Write inputs and outputs, each computed alone as the replay will do it; answers the `golden` object."""
    from safetensors.numpy import save_file

    outputs: dict[str, list[Any]] = {}
    for item in prepared:
        for name, values in pipeline.run(reference, pipeline.collate([item])).items():
            outputs.setdefault(name, []).append(values)
    (folder / INPUTS).parent.mkdir(parents=True, exist_ok=True)
    lines = [json.dumps(dict(item), ensure_ascii=False, sort_keys=True, default=_in_json) for item in items]
    (folder / INPUTS).write_bytes("".join(f"{line}\n" for line in lines).encode())
    # safetensors writes the memory of an array as it lies, and what PyTorch has transposed lies otherwise.
    save_file(
        {name: np.ascontiguousarray(np.concatenate(of_one_width(*values))) for name, values in outputs.items()},
        folder / OUTPUTS,
    )
    return {"inputs": INPUTS, "outputs": OUTPUTS, "count": len(lines)}


def _in_json(value: bytes) -> dict[str, str]:
    """The inverse of what golden.py reads."""
    return {BASE64: base64.b64encode(value).decode("ascii")}
