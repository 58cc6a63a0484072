"""A candidate of the reference's graphs: every one of them fused, or every one of them in INT8."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.runtimes.variants import open_variant
from modelyard.stages.optimize.channel_errors import ChannelErrors, compare_channels
from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.stages.optimize.fuse import fuse
from modelyard.stages.optimize.quantize import needs_reduced_range, quantize
from modelyard.stages.optimize.static_quantize import convolves, quantize_static
from modelyard.store import Package
from modelyard.tasks import Pipeline
from modelyard.tasks.pipeline import Array, Graph, Prepared, Tensors

# A channel whose largest error is this share of its largest weight is as good as gone (one scale a tensor does that).
CHANNEL_LOST = 0.1


class NotMade(Exception):
    """A candidate that cannot be had of these graphs; the message is the reason."""


def make(
    draft: Package,
    base: Mapping[str, Any],
    name: str,
    pipeline: Pipeline,
    rows: Sequence[Prepared],
    config: OptimizeConfig,
    threads: int,
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Write the graphs of a candidate; its `graphs` by role, and what the report says of the making. Raises NotMade."""
    folder = draft.path / "variants" / name
    folder.mkdir(parents=True)
    sources = {role: draft.path / graph["files"][0] for role, graph in base["graphs"].items()}
    targets = {role: folder / f"{role}.onnx" for role in sources}
    beside = {role: len(graph["files"]) > 1 for role, graph in base["graphs"].items()}
    weights = {role: f"{role}.onnx.data" if beside[role] else None for role in sources}
    if name == "fused":
        how = _fused(sources, targets, weights)
    else:
        static = {role for role, source in sources.items() if convolves(source)}
        seen = _feeds(draft, base, pipeline, rows, static, threads) if static else {}
        how = _quantized(sources, targets, weights, seen, config)
    graphs = {}
    for role, target in targets.items():
        written = [path for path in (target, target.with_name(f"{target.name}.data")) if path.is_file()]
        graphs[role] = {"format": "onnx", "files": [path.relative_to(draft.path).as_posix() for path in written]}
    return graphs, how


def _fused(
    sources: Mapping[str, Path], targets: Mapping[str, Path], weights: Mapping[str, str | None]
) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    for role, source in sources.items():
        counts.update(fuse(source, targets[role], weights[role]))
    if not counts:
        raise NotMade(f"dropped: no pattern of the {_graphs(sources)} can be fused")
    return {"fusions": dict(counts)}


def _quantized(
    sources: Mapping[str, Path],
    targets: Mapping[str, Path],
    weights: Mapping[str, str | None],
    seen: Mapping[str, Sequence[Tensors]],
    config: OptimizeConfig,
) -> dict[str, Any]:
    """seen: feeds of the graphs that are quantised statically."""
    reduced = needs_reduced_range() if config.reduce_range is None else config.reduce_range
    errors = []
    for role, source in sources.items():
        if role in seen:
            quantize_static(source, targets[role], seen[role], reduce_range=reduced, weights=weights[role])
        else:
            quantize(source, targets[role], reduce_range=reduced, weights=weights[role])
        errors.append(compare_channels(source, targets[role], levels=64 if reduced else 127))
    worst = ChannelErrors(
        sum(error.weights for error in errors),
        max(error.per_channel for error in errors),
        max(error.per_tensor for error in errors),
    )
    if not worst.weights:
        raise NotMade(f"dropped: the {_graphs(sources)} has no weight matrix to quantise")
    if worst.per_channel > CHANNEL_LOST:
        raise NotMade(
            f"dropped: an output channel loses {worst.per_channel:.0%} of its largest weight"
            f" ({worst.per_tensor:.0%} with one scale a tensor)"
        )
    made = {"reduce_range": reduced, "per_channel": True, **worst.as_json()}
    rows = max(map(len, seen.values()), default=0)
    return {"quantization": {**made, "static": True, "rows": rows} if seen else made}


def _graphs(sources: Mapping[str, Path]) -> str:
    return "graph" if len(sources) == 1 else "package's graphs together"


class _Recording:
    """A graph that keeps what it is fed, the first `most` times."""

    def __init__(self, graph: Graph, most: int) -> None:
        self.seen: list[Tensors] = []
        self._graph, self._most = graph, most

    def run(self, feeds: Mapping[str, Array]) -> Tensors:
        if len(self.seen) < self._most:
            self.seen.append(dict(feeds))
        return self._graph.run(feeds)


def _feeds(
    draft: Package,
    base: Mapping[str, Any],
    pipeline: Pipeline,
    rows: Sequence[Prepared],
    roles: set[str],
    threads: int,
) -> dict[str, list[Tensors]]:
    """What these graphs are fed when the rows are answered one by one."""
    recorded = {role: _Recording(graph, len(rows)) for role, graph in open_variant(draft, dict(base), threads).items()}
    for row in rows:
        pipeline.run(recorded, pipeline.collate([row]))
    return {role: recorded[role].seen for role in roles}
