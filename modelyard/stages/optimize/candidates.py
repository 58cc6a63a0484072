"""Make the candidate variants beside the reference graph, in a draft of the package."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from modelyard.errors import BadInput, ModelyardError
from modelyard.runtimes.package_paths import inside
from modelyard.stages.optimize.channel_errors import compare_channels
from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.stages.optimize.fuse import fuse
from modelyard.stages.optimize.quantize import needs_reduced_range, quantize
from modelyard.stages.optimize.static_quantize import convolves, quantize_static
from modelyard.stages.optimize.tolerances import replay_whole, tolerance
from modelyard.stages.optimize.verdicts import Measured
from modelyard.store import Package
from modelyard.store.artifacts import write_index
from modelyard.store.digests import PROVENANCE
from modelyard.tasks import Pipeline
from modelyard.tasks.task import Prepared, Tensors

ROLE = "model"
# A channel whose largest error is this share of its largest weight is as good as gone (one scale a tensor does that).
CHANNEL_LOST = 0.1


class NotMade(Exception):
    """A candidate that cannot be had of this graph; the message is the reason."""


def reference_variant(package: Package) -> dict[str, Any]:
    """The variant that the others are held against: plain float from export, or a graph as it was adopted.

    Raises BadInput when the package has no such one to start from.
    """
    for variant in package.variants:
        if variant["name"] == package.reference:
            if set(variant["graphs"]) != {ROLE} or variant["graphs"][ROLE]["format"] != "onnx":
                break
            return variant
    names = ", ".join(str(variant["name"]) for variant in package.variants)
    raise BadInput(
        f"the package has no variant {package.reference} with one ONNX graph to start from",
        where=f"{package.path}: its variants are {names}",
        next="give a package that modelyard export or modelyard adopt wrote",
    )


def start_draft(package: Package, folder: Path) -> None:
    """Copy the package with its reference variant alone. Raises Damaged when a path in it leads out of it."""
    base = reference_variant(package)
    for variant in package.variants:
        for graph in variant["graphs"].values():
            for file in graph["files"]:
                inside(package.path, str(file))
    kept = {str(file) for graph in base["graphs"].values() for file in graph["files"]}
    dropped = {
        str(file) for variant in package.variants for graph in variant["graphs"].values() for file in graph["files"]
    } - kept
    shutil.copytree(package.path, folder, dirs_exist_ok=True)
    (folder / PROVENANCE).unlink(missing_ok=True)
    for file in dropped:
        inside(folder, file).unlink()
    write_index(Package, folder, {**package.info, "variants": [base]})


def add_candidate(
    folder: Path, name: str, pipeline: Pipeline, rows: Sequence[Prepared], config: OptimizeConfig, threads: int
) -> Measured:
    """Make one candidate, replay the golden set through it, and enter it in package.json with its tolerance.

    rows: prepared ones by which scales of activations can be set.

    A candidate that cannot be made or does not open comes back with `broken` set and leaves no file.
    """
    measured = Measured(name)
    draft = Package.open(folder)
    base = reference_variant(draft)
    source = folder / base["graphs"][ROLE]["files"][0]
    target = folder / "variants" / name / "model.onnx"
    target.parent.mkdir(parents=True)
    try:
        weights = f"{target.name}.data" if len(base["graphs"][ROLE]["files"]) > 1 else None
        feeds = [pipeline.collate([row]) for row in rows]
        measured.made_by = _make(name, source, target, weights, feeds, config)
        files = sorted(path.relative_to(folder).as_posix() for path in target.parent.iterdir())
        # The graph itself comes first, files with its weights behind it.
        files.sort(key=lambda file: not file.endswith(".onnx"))
        variant = {**base, "name": name, "graphs": {ROLE: {"format": "onnx", "files": files}}}
        result = replay_whole(draft, variant, pipeline, threads)
        if not result.passed:
            raise NotMade(f"dropped: the golden set fails: {result.reason}")
    except NotMade as reason:
        measured.broken = str(reason)
    except ModelyardError as error:
        measured.broken = f"dropped: it does not run here: {error.message}"
    except Exception as error:  # what converters raise on a graph they do not know has no common class
        first = str(error).strip().splitlines()[0] if str(error).strip() else ""
        measured.broken = f"dropped: it could not be made: {type(error).__name__}: {first}"
    if measured.broken:
        shutil.rmtree(target.parent)
        return measured
    measured.max_abs = result.max_abs
    measured.size_bytes = sum((folder / file).stat().st_size for file in files)
    variant["tolerance"] = tolerance(result)
    write_index(Package, folder, {**draft.info, "variants": [*draft.variants, variant]})
    return measured


def _make(
    name: str, source: Path, target: Path, weights: str | None, feeds: Sequence[Tensors], config: OptimizeConfig
) -> dict[str, Any]:
    """Write the graph; answers what the report says of the making. Raises NotMade."""
    if name == "fused":
        counts = fuse(source, target, weights)
        if not counts:
            raise NotMade("dropped: no pattern of the graph can be fused")
        return {"fusions": counts}
    reduced = needs_reduced_range() if config.reduce_range is None else config.reduce_range
    static = convolves(source)
    if static:
        quantize_static(source, target, feeds, reduce_range=reduced, weights=weights)
    else:
        quantize(source, target, reduce_range=reduced, weights=weights)
    errors = compare_channels(source, target, levels=64 if reduced else 127)
    if not errors.weights:
        raise NotMade("dropped: the graph has no weight matrix to quantise")
    if errors.per_channel > CHANNEL_LOST:
        raise NotMade(
            f"dropped: an output channel loses {errors.per_channel:.0%} of its largest weight"
            f" ({errors.per_tensor:.0%} with one scale a tensor)"
        )
    made = {"reduce_range": reduced, "per_channel": True, **errors.as_json()}
    return {"quantization": {**made, "static": True, "rows": len(feeds)} if static else made}


def finish(folder: Path, order: list[str]) -> None:
    """Keep these variants in this order; the files of the others go."""
    draft = Package.open(folder)
    by_name = {str(variant["name"]): variant for variant in draft.variants}
    for name in by_name.keys() - set(order):
        shutil.rmtree(folder / "variants" / name)
    write_index(Package, folder, {**draft.info, "variants": [by_name[name] for name in order]})
