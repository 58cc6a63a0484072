"""One variant of a package: its graphs by role, open in its runtime."""

from __future__ import annotations

import importlib
import re
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

from modelyard.errors import Damaged, EnvironmentProblem
from modelyard.runtimes import RUNTIMES
from modelyard.runtimes.package_paths import inside
from modelyard.store.artifacts import Package
from modelyard.tasks.pipeline import Array, Tensors


class OpenGraph(Protocol):
    """A graph with the names of its inputs and outputs."""

    inputs: tuple[str, ...]
    outputs: tuple[str, ...]

    def run(self, feeds: Mapping[str, Array]) -> Tensors: ...


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text)[:3])


def check_requires(requires: Mapping[str, str]) -> None:
    """Each library that the variant names must be installed in at least that version. Raises EnvironmentProblem."""
    for library, least in requires.items():
        try:
            found = version(library)
        except PackageNotFoundError:
            if library == "onnxruntime" and _gpu_build():
                continue
            raise EnvironmentProblem(
                f"the variant needs {library} >= {least}, which is not installed",
                next=f"pip install '{library}>={least}'",
            ) from None
        if _numbers(found) < _numbers(least):
            raise EnvironmentProblem(
                f"the variant needs {library} >= {least}, {found} is installed",
                next=f"pip install '{library}>={least}'",
            )


def _gpu_build() -> bool:
    try:
        return bool(version("onnxruntime-gpu"))
    except PackageNotFoundError:
        return False


def graph_files(package: Path, graph: Mapping[str, Any]) -> list[Path]:
    """The files of a graph, each checked to lie in the package."""
    files = [inside(package, str(file)) for file in graph["files"]]
    if not files:
        raise Damaged("a graph of the package names no file", where=str(package / "package.json"))
    return files


def open_variant(
    package: Package, variant: Mapping[str, Any], threads: int = 1, device: str = "cpu"
) -> dict[str, OpenGraph]:
    """Graphs by role. Raises Damaged for a broken file, EnvironmentProblem for a runtime that is not here."""
    runtime = str(variant.get("runtime"))
    if runtime not in RUNTIMES:
        raise EnvironmentProblem(
            f"variant {variant.get('name')} needs the runtime {runtime!r}, which this Modelyard does not have",
            where=str(package.path / package.index),
            next=f"runtimes here: {', '.join(sorted(RUNTIMES))}",
        )
    check_requires(variant.get("requires", {}))
    module = importlib.import_module(RUNTIMES[runtime])
    return {
        role: module.open_graph(graph_files(package.path, graph), threads, device)
        for role, graph in variant["graphs"].items()
    }
