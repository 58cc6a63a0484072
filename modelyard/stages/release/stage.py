"""Release: hold the evidence against the promises, and write the report that people and machines read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard import __version__
from modelyard.environment import environment as this_machine
from modelyard.run import Run
from modelyard.stages.release.blocks import Section
from modelyard.stages.release.card import card
from modelyard.stages.release.config import ReleaseConfig
from modelyard.stages.release.csv_text import csv_text
from modelyard.stages.release.evidence import Evidence, Judging
from modelyard.stages.release.gates import report_json
from modelyard.stages.release.judge import GATE, Judged, judge
from modelyard.stages.release.next_steps import Commands, Step, next_steps
from modelyard.stages.release.page import Page, render, savings, tiles, warnings
from modelyard.stages.release.sections import SECTIONS
from modelyard.stages.release.sections.figures import figures
from modelyard.stages.release.sections.figures import history as earlier_versions
from modelyard.stages.release.sections.provenance import environment, provenance
from modelyard.stages.release.verdict import Verdict, verdict
from modelyard.stages.release.words import LANGUAGES, Words
from modelyard.store import Package, Report
from modelyard.store.artifacts import write_index
from modelyard.store.digests import canonical_json


def release(
    package: Package,
    reports: Mapping[str, Report],
    config: ReleaseConfig,
    run: Run,
    version: int | None = None,
    history: Sequence[Report] = (),
    commands: Commands | None = None,
) -> Report:
    """Judge the package by the reports of its stages (any may be missing), and write the evidence.

    The Report holds report.html (one file, no network), report.json and README.md (the model card) in the language
    asked for, the page in the other language as report.LANGUAGE.html, and data/*.csv.
    Nothing is raised for a gate that failed: `hold_gates` does that, once the report is written.
    history: the release Reports of earlier versions, oldest first.
    commands: what the reader is told to type, when it is not what is typed in a project.
    """
    typed = commands or Commands(package.serve_command(config.alias))
    words = Words(config.language)
    other = Words(next(language for language in LANGUAGES if language != config.language))
    evidence = Evidence(reports)
    page = _page(package, evidence, config, version, history, typed, words, f"report.{other.language}.html")
    translated = _page(package, evidence, config, version, history, typed, other, "report.html")
    judged, outcome = page.judged, page.verdict
    _record(run, judged, evidence.metric, outcome, config)
    readme = card(
        package, evidence, judged, outcome, version=version, serve=typed.serve, license=config.license,
        description=config.description, words=words,
    )  # fmt: skip
    content = _content(package, evidence, judged, outcome, page.steps, config, version, commands is None)
    with run.store.new_directory() as folder:
        (folder / "report.html").write_text(render(page, words, other), encoding="utf-8")
        (folder / page.other).write_text(render(translated, other, words), encoding="utf-8")
        (folder / "report.json").write_bytes(canonical_json(content) + b"\n")
        (folder / "README.md").write_text(readme, encoding="utf-8")
        _write_data(folder / "data", page.sections)
        write_index(Report, folder, _index(run, judged))
        return run.store.add(Report, folder, provenance={"stage": "release", "inputs": content["inputs"]})


def _page(
    package: Package,
    evidence: Evidence,
    config: ReleaseConfig,
    version: int | None,
    history: Sequence[Report],
    commands: Commands,
    words: Words,
    other: str,
) -> Page:
    judged = judge(evidence, config.gates, words)
    outcome = verdict(judged, evidence.metric, config.override, words)
    title = f"{package.name}" + (f" {words('page.version', version=version)}" if version is not None else "")
    return Page(
        title=f"{title}: {words('page.report')}",
        name=package.name,
        version=version,
        description=config.description,
        verdict=outcome,
        tiles=tiles(judged, evidence.metric, words),
        savings=savings(judged, words),
        warnings=warnings(evidence, words),
        judged=judged,
        steps=next_steps(evidence, judged, outcome, commands, words),
        sections=_sections(package, evidence, judged, history, words),
        made_with=__version__,
        other=other,
    )


def _sections(
    package: Package, evidence: Evidence, judged: Sequence[Judged], history: Sequence[Report], words: Words
) -> list[Section]:
    found = [section(evidence, words) for section in SECTIONS]
    found.append(earlier_versions([report_json(report) for report in history], judged, evidence.metric, words))
    found += [figures(judged, words), environment(evidence, words), provenance(package, evidence, words)]
    return [section for section in found if section is not None]


def _gates(judged: Sequence[Judged]) -> list[dict[str, Any]]:
    """As Run.report has them; a gate that the user asked for and nobody measured has no value, and failed."""
    return [
        {
            "name": one.name,
            "value": one.value,
            "bar": one.bar,
            "comparison": one.comparison,
            "passed": one.passed is not False,
        }
        for one in judged
        if (one.kind == GATE or one.asked) and one.bar is not None
    ]


def _content(
    package: Package,
    evidence: Evidence,
    judged: Sequence[Judged],
    outcome: Verdict,
    steps: Sequence[Step],
    config: ReleaseConfig,
    version: int | None,
    aliased: bool,
) -> dict[str, Any]:
    """report.json. aliased: whether there is a project, in which the alias points at the version."""
    return {
        "format": 1,
        "verdict": outcome.sentence,
        "advice": outcome.advice,
        "released": outcome.released,
        "state": outcome.state,
        "name": package.name,
        "version": version,
        "alias": config.alias if aliased else None,
        "override": config.override,
        "figures": [one.as_json() for one in judged],
        "gates": _gates(judged),
        "next": [{"text": step.text, "command": step.command or None} for step in steps],
        "variant": evidence.chosen().get("name"),
        "inputs": {
            "package": package.digest,
            "reports": {stage: report.digest for stage, report in evidence.reports.items()},
        },
    }


def _index(run: Run, judged: Sequence[Judged]) -> dict[str, Any]:
    """figures.json, in the schema of every stage."""
    recorded = {
        one.name: {"value": one.value, "how": one.how, "unit": one.unit}
        | ({"interval": list(one.interval)} if one.interval else {})
        for one in judged
        if one.value is not None
    }
    return {
        "format": 1,
        "stage": "release",
        "figures": recorded,
        "gates": _gates(judged),
        "details": run.details,
        "environment": this_machine(),
    }


def _record(run: Run, judged: Sequence[Judged], metric: Judging, outcome: Verdict, config: ReleaseConfig) -> None:
    for one in judged:
        if one.value is not None and one.deciding:
            run.record(one.name, one.value, how=one.how, unit=one.unit, interval=one.interval)
    run.details.update(verdict=outcome.sentence, released=outcome.released)
    run.details["metric"] = {"name": metric.name, "share": metric.share}
    if outcome.state == "overridden":
        run.details["override"] = {"reason": config.override, "gates": [one.name for one in outcome.failed]}


def _write_data(folder: Path, sections: Sequence[Section]) -> None:
    folder.mkdir()
    for section in sections:
        for chart in section.charts():
            (folder / f"{chart.slug}.csv").write_text(csv_text(chart), encoding="utf-8", newline="")
