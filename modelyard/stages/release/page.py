"""The page: what a reader needs first, then the folded evidence, in one file that needs nothing beside it."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from modelyard.stages.release.blocks import Section, shown
from modelyard.stages.release.csv_text import csv_text, data_link
from modelyard.stages.release.evidence import Evidence, Judging
from modelyard.stages.release.judge import ADVICE, GATE, Judged
from modelyard.stages.release.next_steps import Step
from modelyard.stages.release.verdict import Verdict
from modelyard.stages.release.words import Words


@dataclass(frozen=True)
class Tile:
    """A figure that stands alone on the first screen, with a line below it."""

    label: str
    value: str
    below: str


@dataclass(frozen=True)
class Saving:
    """A part of the headline: what the chain cuts, against which baseline, and the aim."""

    label: str
    value: str
    within: str
    aim: str
    result: tuple[str, str]
    how: str


@dataclass(frozen=True)
class Page:
    """All that the template shows."""

    title: str
    name: str
    version: int | None
    description: str
    verdict: Verdict
    tiles: list[Tile]
    savings: list[Saving]
    warnings: list[str]
    judged: Sequence[Judged]
    steps: list[Step]
    sections: list[Section]
    made_with: str
    other: str  # the file of the same page in the other language


def result(one: Judged, words: Words) -> tuple[str, str]:
    """The word and the tone of a figure's result; the word alone says it all."""
    if one.value is None:
        return (words("result.failed"), "fail") if one.asked else (words("result.not_measured"), "none")
    if one.passed is None:
        return words("result.for_information"), "none"
    if one.kind == GATE:
        return (words("result.passed"), "pass") if one.passed else (words("result.failed"), "fail")
    return (words("result.met"), "pass") if one.passed else (words("result.missed"), "warn")


def tiles(judged: Sequence[Judged], metric: Judging, words: Words) -> list[Tile]:
    """The task's metric, latency, size and throughput, each with what puts it in proportion."""
    figures = {one.name: one for one in judged}

    def value(name: str) -> float | None:
        return figures[name].value if name in figures else None

    judging = figures.get(metric.name)
    below = {
        metric.name: words.interval(judging.interval, "share") if judging is not None else "",
        "latency_p50_ms": words("tile.latency_p99_ms", p99=words.milliseconds(value("latency_p99_ms")))
        if value("latency_p99_ms") is not None
        else "",
        "size_bytes": words("tile.size_ratio", ratio=words.ratio(value("size_ratio")))
        if (value("size_ratio") or 0) > 1
        else "",
        "throughput_rps": words("tile.cpu_ms", cpu=words.milliseconds(value("cpu_ms")))
        if value("cpu_ms") is not None
        else "",
    }
    return [
        Tile(
            words.of(metric, "tile.accuracy") if name == metric.name else words(f"tile.{name}"),
            words.written(value(name), figures[name].unit),
            below[name],
        )
        for name in below
        if name in figures and value(name) is not None
    ]


def savings(judged: Sequence[Judged], words: Words) -> list[Saving]:
    """Training cycle, latency and cost, in this order; what was not measured says why."""
    figures = {one.name: one for one in judged}
    return [
        Saving(
            words(f"headline.{name}"),
            words("result.not_measured") if one.value is None else one.shown_value(words),
            one.shown_interval(words),
            words("headline.aim", bar=one.shown_bar(words)) if one.bar is not None else "",
            result(one, words),
            one.how,
        )
        for name in ("cycle_ratio", "latency_cut", "cost_cut")
        if (one := figures.get(name)) is not None
    ]


def warnings(evidence: Evidence, words: Words) -> list[str]:
    return [
        words("page.warning", stage=stage, text=shown(words.said(text), 400)) for stage, text in evidence.warnings()
    ]


@cache
def _environment() -> Any:
    """Jinja with escaping on for everything, whatever a template is called."""
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("modelyard.stages.release", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals["csv_link"] = lambda chart: data_link(csv_text(chart))
    return environment


def render(page: Page, words: Words, other: Words) -> str:
    """The HTML. The policy in its head lets nothing load from elsewhere, and no script run but our own."""
    script = _environment().get_template("print.js").render()
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    text: str = (
        _environment()
        .get_template("report.html")
        .render(
            page=page,
            words=words,
            result=lambda one: result(one, words),
            deciding=sorted((one for one in page.judged if one.deciding), key=lambda one: not one.failed),
            linked={section.slug for section in page.sections},
            GATE=GATE,
            ADVICE=ADVICE,
            script_digest=digest,
            other=other,
        )
    )
    return text
