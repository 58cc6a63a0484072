"""How fast the package answers as served, beside the eager model and the plain float graph."""

from __future__ import annotations

from typing import Any

from modelyard.stages.release.blocks import Block, Section, charts, table
from modelyard.stages.release.charts import Bar, Chart, Percentiles, bars, ecdf
from modelyard.stages.release.charts.ecdf import samples_as_points
from modelyard.stages.release.evidence import Evidence
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.words import Words

# The same way has the same colour in every chart.
_WAYS = (("served", 0), ("float", 1), ("eager", 2))
_PERCENTILES = (("p50_ms", 0.50), ("p90_ms", 0.90), ("p99_ms", 0.99))
_LIMIT_MS = 200.0


def speed(evidence: Evidence, words: Words) -> Section | None:
    p50, p99 = evidence.value("evaluate", "latency_p50_ms"), evidence.value("evaluate", "latency_p99_ms")
    if not evidence.has("evaluate"):
        return None
    finding = words("section.not_measured")
    if p50 is not None:
        finding = words("speed.finding", p50=words.milliseconds(p50), p99=words.milliseconds(p99))
        throughput = evidence.value("evaluate", "throughput_rps")
        if throughput is not None:
            finding = words.listed([finding, words.rate(throughput)])
    blocks: list[Block] = [
        *charts(
            _distribution(evidence, words),
            *(_compared(evidence, words, name) for name in ("cpu_ms", "throughput_rps")),
        ),
        *_loads(evidence, words),
    ]
    return Section("speed", words("section.speed"), finding, blocks)


def _axis_number(value: float) -> str:
    return f"{value:g}"


def _distribution(evidence: Evidence, words: Words) -> Chart | None:
    drawn = []
    rows: list[tuple[Any, ...]] = []
    samples = evidence.detail("evaluate", "latency_samples_ms")
    known = [time for time in map(finite, samples) if time is not None] if isinstance(samples, list) else []
    for way, colour in _WAYS:
        label = words(f"speed.{way}")
        if way == "served" and len(known) >= 20:
            drawn.append(Percentiles(label, samples_as_points(known), colour, sampled=True))
            rows += [(way, time, (index + 1) / len(known)) for index, time in enumerate(sorted(known))]
            continue
        load = evidence.served(way, 1)
        at = [(finite(load.get(name)), part) for name, part in _PERCENTILES]
        points = tuple((time, part) for time, part in at if time is not None)
        if len(points) >= 2:
            drawn.append(Percentiles(label, points, colour))
            rows += [(way, time, part) for time, part in points]
    if not drawn:
        return None
    p50, eager = evidence.value("evaluate", "latency_p50_ms"), finite(evidence.served("eager", 1).get("p50_ms"))
    title = words(
        "chart.latency",
        p50=words.milliseconds(p50),
        p99=words.milliseconds(evidence.value("evaluate", "latency_p99_ms")),
    )
    if p50 and eager:
        title = words("chart.latency_eager", p50=words.milliseconds(p50), eager=words.milliseconds(eager))
    drawing = ecdf(
        drawn, title=title, x_axis=words("axis.latency"), y_axis=words("axis.answered"), written=_axis_number,
        limit=_LIMIT_MS, numbers=words, limit_label=words("chart.limit", bar=words.milliseconds(_LIMIT_MS)),
    )  # fmt: skip
    return Chart("latency", title, drawing, ("way", "ms", "share_answered"), tuple(rows), words("chart.latency_note"))


def _compared(evidence: Evidence, words: Words, name: str) -> Chart | None:
    """CPU time an answer, or answers a second, of each way at concurrency 8."""
    form = words.milliseconds if name == "cpu_ms" else words.rate
    found = [(way, colour, finite(evidence.served(way, 8).get(name))) for way, colour in _WAYS]
    known = [(way, colour, value) for way, colour, value in found if value is not None]
    if not known or known[0][0] != "served":
        return None
    served = known[0][2]
    eager = next((value for way, _, value in known if way == "eager"), None)
    title = words(f"chart.{name}", value=form(served))
    if eager and served:
        against = words.percent(1 - served / eager) if name == "cpu_ms" else words.ratio(served / eager)
        title = words(f"chart.{name}_eager", value=form(served), against=against, eager=form(eager))
        if name == "cpu_ms" and served > eager:
            title = words("chart.cpu_ms_worse", value=form(served), eager=form(eager))
    drawn = [Bar(words(f"speed.{way}"), value, form(value), colour) for way, colour, value in known]
    drawing = bars(drawn, title=title, axis=words(f"axis.{name}"), written=_axis_number)
    rows = tuple((way, value) for way, _, value in known)
    return Chart(name.removesuffix("_rps"), title, drawing, ("way", name), rows, words("chart.concurrency_8"))


def _loads(evidence: Evidence, words: Words) -> list[Block]:
    rows = []
    for way, _ in _WAYS:
        by_concurrency = evidence.mapping("evaluate", "latency").get(way)
        if not isinstance(by_concurrency, dict):
            continue
        for concurrency in sorted(by_concurrency, key=lambda key: finite(_number(key)) or 0.0):
            load = by_concurrency[concurrency]
            if isinstance(load, dict):
                rows.append(
                    [
                        words(f"speed.{way}"),
                        str(concurrency),
                        *(words.milliseconds(load.get(key)) for key in ("p50_ms", "p90_ms", "p99_ms")),
                        words.rate(load.get("throughput_rps")),
                        words.milliseconds(load.get("cpu_ms")),
                        words.count(load.get("requests")),
                        words.duration(load.get("seconds")),
                    ]
                )
    if not rows:
        return []
    columns = [words(f"speed.column_{name}") for name in (
        "way", "concurrency", "p50", "p90", "p99", "rate", "cpu", "requests", "seconds")]  # fmt: skip
    return [table(words("speed.loads"), columns, rows, numeric=range(1, 9))]


def _number(key: object) -> float | None:
    try:
        return float(str(key))
    except ValueError:
        return None
