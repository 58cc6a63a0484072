"""Which variant of a package may serve on this machine: the first that passes its golden set."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from modelyard.errors import BadInput, EnvironmentProblem, ModelyardError
from modelyard.runtimes.golden import FIRST, Golden, Replay, replay
from modelyard.runtimes.variants import OpenGraph, open_variant
from modelyard.store.artifacts import Package
from modelyard.tasks.pipeline import Pipeline


@dataclass(frozen=True)
class Choice:
    """The variant that serves, its open graphs, its replay, and those passed over with the reason."""

    variant: Mapping[str, Any]
    graphs: dict[str, OpenGraph]
    replay: Replay
    passed_over: list[tuple[str, str]] = field(default_factory=list)


def choose_variant(
    package: Package,
    pipeline: Pipeline,
    golden: Golden,
    *,
    only: str | None = None,
    threads: int = 1,
    device: str = "cpu",
    count: int = FIRST,
) -> Choice:
    """The first variant, in the package's order, that opens and passes `count` golden inputs.

    only: the one variant that may serve. Raises EnvironmentProblem when none does, BadInput for an unknown name.
    """
    names = [str(variant["name"]) for variant in package.variants]
    if only is not None and only not in names:
        raise BadInput(
            f"{package.name} has no variant {only!r}", where="--variant", next=f"its variants: {', '.join(names)}"
        )
    passed_over: list[tuple[str, str]] = []
    for variant in package.variants:
        name = str(variant["name"])
        if only is not None and name != only:
            continue
        try:
            graphs = open_variant(package, variant, threads, device)
        except EnvironmentProblem as error:
            if error.where == "--device":
                raise
            passed_over.append((name, error.message))
            continue
        except ModelyardError as error:
            passed_over.append((name, error.message))
            continue
        result = replay(pipeline, graphs, golden, variant["tolerance"], count)
        if result.passed:
            return Choice(variant, graphs, result, passed_over)
        passed_over.append((name, result.reason))
    raise EnvironmentProblem(
        f"no variant of {package.name} passes its golden set on this machine: "
        + "; ".join(f"{name}: {reason}" for name, reason in passed_over),
        where=str(package.path),
        next="copy the package again, or make it on a machine like this one: modelyard optimize",
    )
