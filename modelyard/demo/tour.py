"""The demonstration's project: a folder that the user can go on with."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from modelyard.chain.project import FILE, Project, load_project
from modelyard.chain.runner import ChainOutcome
from modelyard.demo.sentiment import write_sentiment_csv
from modelyard.errors import BadInput
from modelyard.store import Model, Package, Report
from modelyard.store.atomic import write_bytes
from modelyard.training.minilm import minilm

DATA = "sentiment.csv"
ROWS = 6000

YAML = """\
# Four-domain English sentiment (movie and product reviews, editorials, tweets) on a small real BERT.
# Only what differs from the defaults stands here.
name: sentiment
task: text_classification
data: {data}
ingest:
  columns: {{text: text, label: label, group: document}}
train:
  base: minilm  # all-MiniLM-L6-v2 from the package index; any hub id or directory will do
"""

ASKED = (
    "An absolute joy from the first scene to the last.",
    "The battery died after two days and nobody answers my mails.",
    "I have no idea why this got good reviews, what a waste of an evening.",
)


@dataclass(frozen=True)
class Tour:
    """The project in its folder."""

    folder: Path
    project: Project
    rows: int


def prepare(folder: Path, rows: int | None) -> Tour:
    """Fetch data and model, write the CSV and a modelyard.yaml, and read the project as `modelyard run` would.

    A modelyard.yaml that is there is taken as it is: the user may have changed it. Raises BadInput when it is of
    another project.
    """
    if (folder / FILE).is_file() and load_project(folder).data != DATA:
        raise BadInput(
            f"there is a project in {folder}",
            where=str(folder / FILE),
            next="give another folder: modelyard demo --dir DIR",
        )
    minilm()
    count = write_sentiment_csv(folder / DATA, rows)
    if not (folder / FILE).is_file():
        write_bytes(folder / FILE, YAML.format(data=DATA).encode())
    return Tour(folder, load_project(folder), count)


def summary(chain: ChainOutcome) -> dict[str, Any]:
    """The figures of `modelyard demo --json`. Values are None where a stage did not get that far."""

    def value(stage: str, name: str) -> Any:
        report = chain.reports.get(stage)
        return None if report is None else report.info["figures"].get(name, {}).get("value")

    def path(stage: str, kind: type[Model] | type[Package] | type[Report]) -> Path | None:
        made = chain.stage(stage)
        return made.output.path if made is not None and isinstance(made.output, kind) else None

    optimize = chain.reports.get("optimize")
    variant = None
    if optimize is not None:
        details = optimize.info["details"]
        variant = {"name": details.get("chosen"), "why": details.get("why")}
    page = path("release", Report)
    package = path("optimize", Package)
    return {
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
