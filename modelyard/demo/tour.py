"""The demonstration's project: a folder that the user can go on with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.chain.project import FILE, Project, load_project
from modelyard.chain.runner import ChainOutcome
from modelyard.demo.demos import Demo
from modelyard.errors import BadInput
from modelyard.store import Model, Package, Report
from modelyard.store.atomic import write_bytes


@dataclass(frozen=True)
class Tour:
    """The project in its folder."""

    folder: Path
    project: Project
    rows: int


def prepare(demo: Demo, folder: Path, rows: int | None) -> Tour:
    """Fetch or compose data and model, write them and a modelyard.yaml, and read the project as `modelyard run` would.

    A modelyard.yaml that is there, and what lies beside it, is taken as it is: the user may have changed it. Raises
    BadInput when it is of another project.
    """
    if (folder / FILE).is_file():
        there = load_project(folder)
        if (there.data, there.train.framework) != (demo.data, demo.framework):
            raise BadInput(
                f"there is another project in {folder}, on {there.data} by {there.train.framework}",
                where=str(folder / FILE),
                next="give another folder: modelyard demo --dir DIR",
            )
    demo.fetch()
    count = demo.write(folder / demo.data, rows)
    for name, content in {FILE: demo.yaml.encode(), **demo.beside()}.items():
        if not (folder / name).is_file():
            write_bytes(folder / name, content)
    return Tour(folder, load_project(folder), count)


def summary(chain: ChainOutcome) -> dict[str, Any]:
    """The figures of `modelyard demo --json`. Values are None where a stage did not get that far.

    score, baseline_score: by `metric`, what the task is judged by.
    """

    def value(stage: str, name: str) -> Any:
        report = chain.reports.get(stage)
        return None if report is None else report.info["figures"].get(name, {}).get("value")

    def path(stage: str, kind: type[Model] | type[Package] | type[Report]) -> Path | None:
        made = chain.stage(stage)
        return made.output.path if made is not None and isinstance(made.output, kind) else None

    evaluate, optimize = chain.reports.get("evaluate"), chain.reports.get("optimize")
    metric = None if evaluate is None else evaluate.info["details"]["metric"]["name"]
    variant = None
    if optimize is not None:
        details = optimize.info["details"]
        variant = {"name": details.get("chosen"), "why": details.get("why")}
    page = path("release", Report)
    package = path("optimize", Package)
    return {
        "metric": metric,
        "score": value("evaluate", f"{metric}"),
        "baseline_score": value("evaluate", f"baseline_{metric}"),
        "accuracy": value("evaluate", "accuracy"),
        "baseline_accuracy": value("evaluate", "baseline_accuracy"),
        "latency_p50_ms": value("evaluate", "latency_p50_ms"),
        "latency_p99_ms": value("evaluate", "latency_p99_ms"),
        "latency_cut": value("evaluate", "latency_cut"),
        "cost_cut": value("evaluate", "cost_cut"),
        "size_ratio": value("optimize", "size_ratio"),
        "variant": variant,
        "package": str(package) if package is not None else None,
        "report": str(page / "report.html") if page is not None else None,
    }
