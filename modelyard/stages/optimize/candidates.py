"""Candidate variants beside the reference in a draft of the package: made here of its graphs, or come with it."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.errors import BadInput, ModelyardError
from modelyard.runtimes.package_paths import inside
from modelyard.runtimes.tolerances import replay_whole, tolerance
from modelyard.stages.optimize.config import MADE, OptimizeConfig
from modelyard.stages.optimize.make import NotMade, make
from modelyard.stages.optimize.verdicts import Measured
from modelyard.store import Package
from modelyard.store.artifacts import write_index
from modelyard.store.digests import PROVENANCE
from modelyard.tasks import Pipeline
from modelyard.tasks.pipeline import Prepared

Variant = dict[str, Any]


def reference_variant(package: Package) -> Variant:
    """The variant that the others are held against: plain float from export, or a graph as it was adopted.

    Raises BadInput when the package has no such one to start from.
    """
    for variant in package.variants:
        if variant["name"] == package.reference:
            if not variant["graphs"] or any(graph["format"] != "onnx" for graph in variant["graphs"].values()):
                break
            return variant
    names = ", ".join(str(variant["name"]) for variant in package.variants)
    raise BadInput(
        f"the package has no variant {package.reference} of ONNX graphs to start from",
        where=f"{package.path}: its variants are {names}",
        next="give a package that modelyard export or modelyard adopt wrote",
    )


def brought(package: Package) -> list[Variant]:
    """Variants that came with the package and cannot be made here of its reference: those of another engine."""
    return [each for each in package.variants if each["name"] not in (package.reference, *MADE)]


def start_draft(package: Package, folder: Path) -> None:
    """Copy the package with its reference and what it brought; what is made here is made anew.

    Raises Damaged when a path in it leads out of it.
    """
    base = reference_variant(package)
    for variant in package.variants:
        for file in files_of(variant):
            inside(package.path, file)
    shutil.copytree(package.path, folder, dirs_exist_ok=True)
    (folder / PROVENANCE).unlink(missing_ok=True)
    _keep(folder, package.info, [base, *brought(package)])


def add_candidate(
    folder: Path, name: str, pipeline: Pipeline, rows: Sequence[Prepared], config: OptimizeConfig, threads: int
) -> Measured:
    """Make one candidate of the reference, all its graphs, and enter it in package.json with its tolerance.

    rows: prepared ones by which scales of activations can be set.

    A candidate that cannot be made or does not open comes back with `broken` set and leaves no file.
    """
    draft = Package.open(folder)
    base = reference_variant(draft)

    def made() -> tuple[Variant, dict[str, Any]]:
        graphs, how = make(draft, base, name, pipeline, rows, config, threads)
        return {**base, "name": name, "graphs": graphs}, how

    measured = _entered(draft, name, made, pipeline, threads)
    if measured.broken:
        shutil.rmtree(folder / "variants" / name)
    return measured


def add_brought(folder: Path, variant: Variant, pipeline: Pipeline, threads: int) -> Measured:
    """The same of a variant that came with the package."""
    return _entered(Package.open(folder), str(variant["name"]), lambda: (variant, {}), pipeline, threads)


def _entered(
    draft: Package, name: str, made: Callable[[], tuple[Variant, dict[str, Any]]], pipeline: Pipeline, threads: int
) -> Measured:
    """Replay the golden set through a candidate and set its tolerance by it."""
    measured = Measured(name)
    others = [each for each in draft.variants if each["name"] != name]
    try:
        variant, measured.made_by = made()
        measured.runtime = str(variant["runtime"])
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
        _keep(draft.path, draft.info, others)
        return measured
    measured.max_abs = result.max_abs
    measured.size_bytes = draft.variant_size(variant)
    entered = {**variant, "tolerance": tolerance(result)}
    write_index(Package, draft.path, {**draft.info, "variants": [*others, entered]})
    return measured


def finish(folder: Path, order: list[str]) -> None:
    """Keep these variants in this order; the files of the others go."""
    draft = Package.open(folder)
    by_name = {str(variant["name"]): variant for variant in draft.variants}
    _keep(folder, draft.info, [by_name[name] for name in order])


def files_of(variant: Mapping[str, Any]) -> set[str]:
    """Files of its graphs, relative to the package."""
    return {str(file) for graph in variant["graphs"].values() for file in graph["files"]}


def _keep(folder: Path, info: Mapping[str, Any], variants: Sequence[Variant]) -> None:
    """Write package.json with these variants; files that only others name go, and folders that are empty then."""
    kept = {file for variant in variants for file in files_of(variant)}
    for file in {file for variant in info["variants"] for file in files_of(variant)} - kept:
        path = folder / file
        path.unlink()
        if not any(path.parent.iterdir()):
            path.parent.rmdir()
    write_index(Package, folder, {**info, "variants": list(variants)})
