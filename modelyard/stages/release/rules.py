"""The figures that every release is held against: one table, from the promises of the product (docs/features.md).

A rule says where a figure comes from, on which side of its bar it must lie, and whether it is a gate. Bars are the
product's defaults; `release.gates` makes any figure that has a direction a gate with a bar of the user's own.
"""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable
from dataclasses import dataclass, replace

from modelyard.environment import EXACT_INT8
from modelyard.stages.release.evidence import Evidence, Judging, Measured
from modelyard.stages.release.numbers import finite
from modelyard.stages.release.words import Words

Read = Callable[[Evidence, Words], Measured | None]
Bar = float | tuple[float, float]


ACCURACY = Judging()


@dataclass(frozen=True)
class Rule:
    """row: of the promises. unit: a key of numbers.FORMATS. comparison: at_least, at_most, within or "" (no side is
    better). stages: what must have run for the figure to exist. deciding: shown on the first screen.
    bar_holds: whether the default bar applies to this evidence.
    metric, label: of a figure of another metric than accuracy, that metric and the name of accuracy's figure."""

    row: str
    name: str
    unit: str
    comparison: str
    bar: Bar | None
    stages: tuple[str, ...]
    read: Read
    gate: bool = False
    deciding: bool = False
    bar_holds: Callable[[Evidence], bool] = lambda evidence: True
    metric: Judging = ACCURACY
    label: str = ""


def _of(stage: str, name: str) -> Read:
    return lambda evidence, words: evidence.figure(stage, name)


def _first_of(name: str, *stages: str) -> Read:
    """From the first of the stages that recorded it."""
    return lambda evidence, words: next((found for stage in stages if (found := evidence.figure(stage, name))), None)


def _nothing(evidence: Evidence, words: Words) -> Measured | None:
    return None


def _gate_of(stage: str, name: str, figure: str) -> Read:
    """The figure as recorded, or else the value that the stage's gate was held with."""

    def read(evidence: Evidence, words: Words) -> Measured | None:
        recorded = evidence.figure(stage, figure)
        if recorded is not None:
            return recorded
        gate = next((gate for gate in evidence.gates() if gate.name == name), None)
        return None if gate is None else Measured(gate.value)

    return read


def _dropped_share(evidence: Evidence, words: Words) -> Measured | None:
    rows_in, rows_out = evidence.value("clean", "rows_in"), evidence.value("clean", "rows_out")
    if not rows_in or rows_out is None:
        return None
    how = words("how.dropped_share", dropped=words.count(rows_in - rows_out), rows=words.count(rows_in))
    return Measured(1 - rows_out / rows_in, how)


def _without_reason(evidence: Evidence, words: Words) -> Measured | None:
    rows_in, rows_out = evidence.value("clean", "rows_in"), evidence.value("clean", "rows_out")
    if rows_in is None or rows_out is None or not isinstance(evidence.detail("clean", "dropped"), dict):
        return None
    reasons = sum(finite(number) or 0 for number in evidence.mapping("clean", "dropped").values())
    return Measured(max(0.0, rows_in - rows_out - reasons), words("how.dropped_without_reason"))


def _learning_rate(evidence: Evidence, words: Words) -> Measured | None:
    used = evidence.figure("train", "learning_rate")
    base, batch = evidence.value("train", "base_lr"), evidence.value("train", "batch_size")
    if used is None or used.how or base is None or batch is None:
        return used
    return Measured(used.value, words("how.learning_rate", base=words.significant(base), batch=words.count(batch)))


def _recipe(name: str) -> Read:
    def read(evidence: Evidence, words: Words) -> Measured | None:
        value = finite(evidence.mapping("train", "recipe").get(name))
        return None if value is None else Measured(value, words("how.recipe"))

    return read


def _fusions(evidence: Evidence, words: Words) -> Measured | None:
    """Of the chosen variant, or else of the first that has any (INT8 is made from the unfused graph)."""
    for variant in [evidence.chosen(), *evidence.variants()]:
        found = variant.get("fusions") or variant.get("passes")
        if isinstance(found, dict):
            counts = {str(name): finite(number) for name, number in found.items()}
            fused = {name: number for name, number in counts.items() if number}
            if fused:
                named = ", ".join(f"{name} {words.count(number)}" for name, number in sorted(fused.items()))
                key = "how.fusions" if variant.get("chosen") else "how.fusions_dropped"
                return Measured(sum(fused.values()), words(key, name=variant.get("name"), named=named))
    return None


def _graph_gain(evidence: Evidence, words: Words) -> Measured | None:
    eager, graph = finite(evidence.served("eager", 1).get("p50_ms")), finite(evidence.served("float", 1).get("p50_ms"))
    if not eager or graph is None:
        return None
    how = words("how.graph_gain", graph=words.milliseconds(graph), eager=words.milliseconds(eager))
    return Measured(1 - graph / eager, how)


def _over_baseline(evidence: Evidence, words: Words) -> Measured | None:
    name = evidence.metric.name
    accuracy, baseline = evidence.figure("evaluate", name), evidence.figure("evaluate", f"baseline_{name}")
    if accuracy is None or baseline is None:
        return None
    how = words.said(baseline.how) or words("how.same_split")
    return Measured(
        accuracy.value - baseline.value, words("how.over_baseline", baseline=words.share(baseline.value), how=how)
    )


def _p99(evidence: Evidence, words: Words) -> Measured | None:
    """With less than 1,000 requests a P99 rests on a handful of answers: the reader is told on how many."""
    measured = evidence.figure("evaluate", "latency_p99_ms")
    requests = finite(evidence.served("served", 1).get("requests"))
    if measured is None or not requests or requests >= _ENOUGH_FOR_P99:
        return measured
    slowest = math.ceil(requests / 100)
    few = words("how.few_requests", requests=words.count(requests), slowest=words.count(slowest))
    how = words("list.semicolon").join(part for part in (words.said(measured.how), few) if part)
    return Measured(measured.value, how, measured.interval)


def _fast_integers(evidence: Evidence) -> bool:
    """Whether the processor has integer dot products (VNNI, AMX, SDOT), without which INT8 gains less."""
    return not EXACT_INT8.isdisjoint(evidence.environment("optimize").get("cpu_flags") or [])


def _class_imbalance(evidence: Evidence, words: Words) -> Measured | None:
    imbalance = evidence.figure("split", "class_imbalance")
    if imbalance is None:
        return None
    counts = [finite(number) for number in evidence.mapping("split", "class_counts").values()]
    known = [number for number in counts if number is not None]
    if not known:
        return imbalance
    how = words("how.class_imbalance", largest=words.count(max(known)), smallest=words.count(min(known)))
    return Measured(imbalance.value, how)


_EVALUATE = ("evaluate",)
_ENOUGH_FOR_P99 = 1000  # requests, so that ten of them lie above it

RULES: tuple[Rule, ...] = (
    Rule("R24", "parity_max_abs", "number", "at_most", 1e-3, ("export",),
         _gate_of("export", "parity", "parity_max_abs"), gate=True, deciding=True),
    Rule("R24", "parity_accuracy", "points", "at_most", 0.01, ("export",),
         _gate_of("export", "parity_accuracy", "parity_accuracy"), gate=True, deciding=True),
    Rule("R24", "golden_set", "percent", "at_least", 0.95, ("optimize", "evaluate"),
         _gate_of("evaluate", "golden_set", "golden_set"), gate=True, deciding=True),
    Rule("R15", "accuracy_lost", "points", "at_most", 0.01, ("optimize",),
         _gate_of("optimize", "accuracy_lost", "accuracy_lost"), gate=True, deciding=True),
    Rule("R35", "accuracy", "share", "at_least", None, _EVALUATE, _of("evaluate", "accuracy"), deciding=True),
    Rule("R35", "accuracy_over_baseline", "points", "at_least", 0.0, _EVALUATE, _over_baseline, deciding=True),
    Rule("R30", "latency_p99_ms", "ms", "at_most", 200.0, _EVALUATE, _p99, deciding=True),
    Rule("R38", "latency_cut", "percent", "at_least", 0.40, _EVALUATE, _of("evaluate", "latency_cut")),
    Rule("R38", "cost_cut", "percent", "at_least", 0.60, _EVALUATE, _of("evaluate", "cost_cut")),
    Rule("R15", "size_ratio", "ratio", "at_least", 3.5, ("optimize",),
         _first_of("size_ratio", "optimize", "evaluate"), deciding=True),
    Rule("R2", "class_imbalance", "percent", "at_most", 0.20, ("split",), _class_imbalance, deciding=True),
    Rule("R1", "coverage", "percent", "at_least", None, ("coverage",), _of("coverage", "coverage")),
    Rule("R2", "strata_deviation", "points", "at_most", None, ("split",), _of("split", "strata_deviation")),
    Rule("R3", "dropped_share", "percent", "at_most", None, ("clean",), _dropped_share),
    Rule("R3", "dropped_without_reason", "rows", "at_most", 0.0, ("clean",), _without_reason),
    Rule("R6", "resolved_agreement", "share", "at_least", 0.95, ("annotate",), _of("annotate", "resolved_agreement")),
    Rule("R6", "gold_accuracy", "share", "at_least", 0.95, ("annotate",), _of("annotate", "gold_accuracy")),
    Rule("R6", "blind_agreement", "share", "at_least", None, ("annotate",), _of("annotate", "blind_agreement")),
    Rule("R6", "cohen_kappa", "share", "at_least", None, ("annotate",), _of("annotate", "cohen_kappa")),
    Rule("R6", "fleiss_kappa", "share", "at_least", None, ("annotate",), _of("annotate", "fleiss_kappa")),
    Rule("R6", "krippendorff_alpha", "share", "at_least", None, ("annotate",), _of("annotate", "krippendorff_alpha")),
    Rule("R15", "speedup", "ratio", "at_least", 2.0, ("optimize",), _of("optimize", "speedup"),
         bar_holds=_fast_integers),
    Rule("R21", "learning_rate", "number", "", None, ("train",), _learning_rate),
    Rule("R22", "batch_size", "rows", "at_least", 32.0, ("train",), _of("train", "batch_size")),
    Rule("R23", "weight_decay", "number", "within", (1e-5, 1e-4), ("train",), _recipe("weight_decay")),
    Rule("R23", "dropout", "number", "within", (0.1, 0.5), ("train",), _recipe("dropout")),
    Rule("R25", "fusions", "operators", "at_least", None, ("optimize",), _fusions),
    Rule("R26", "graph_gain", "percent", "at_least", 0.10, _EVALUATE, _graph_gain),
    Rule("R27", "throughput_rps", "rps", "at_least", 100.0, _EVALUATE, _of("evaluate", "throughput_rps")),
    Rule("R27", "start_s", "s", "at_most", 3.0, _EVALUATE, _of("evaluate", "start_s")),
    Rule("R30", "latency_p50_ms", "ms", "at_most", None, _EVALUATE, _of("evaluate", "latency_p50_ms")),
    Rule("R30", "latency_p90_ms", "ms", "at_most", None, _EVALUATE, _of("evaluate", "latency_p90_ms")),
    Rule("R31", "memory_mb", "MB", "at_most", None, _EVALUATE, _of("evaluate", "memory_mb")),
    Rule("R31", "fragmentation", "percent", "at_most", 0.30, _EVALUATE, _of("evaluate", "fragmentation")),
    Rule("R35", "macro_f1", "share", "at_least", None, _EVALUATE, _of("evaluate", "macro_f1")),
    Rule("R35", "eager_accuracy", "share", "at_least", None, _EVALUATE, _of("evaluate", "eager_accuracy")),
    Rule("R35", "ece", "share", "at_most", None, _EVALUATE, _of("evaluate", "ece")),
    Rule("R35", "size_bytes", "bytes", "at_most", None, _EVALUATE, _of("evaluate", "size_bytes")),
    Rule("R35", "cpu_ms", "ms", "at_most", None, _EVALUATE, _of("evaluate", "cpu_ms")),
    Rule("R38", "latency_cut_float", "percent", "at_least", None, _EVALUATE, _of("evaluate", "latency_cut_float")),
    Rule("R38", "cost_cut_float", "percent", "at_least", None, _EVALUATE, _of("evaluate", "cost_cut_float")),
    Rule("R38", "cycle_ratio", "ratio", "at_least", 4.7, ("tune",), _nothing),
)  # fmt: skip

# Of answers that are labels.
LABELS_ALONE = ("class_imbalance", "macro_f1", "ece")
# Of labels that people gave: where they came with the data, one of these says so for all.
OF_ANNOTATION = ("gold_accuracy", "blind_agreement", "cohen_kappa", "fleiss_kappa", "krippendorff_alpha")
# What takes the place of accuracy's figures where the package is judged by another metric.
OF_METRIC = {
    "accuracy": "{}", "accuracy_over_baseline": "{}_over_baseline",
    "accuracy_lost": "{}_lost", "parity_accuracy": "parity_{}", "eager_accuracy": "eager_{}",
}  # fmt: skip


def of_metric(rule: Rule, metric: Judging) -> Rule:
    """The rule, of that metric in the place of accuracy."""
    if metric.name == "accuracy" or rule.name not in OF_METRIC:
        return rule
    name, (stage,) = OF_METRIC[rule.name].format(metric.name), rule.stages
    read = _gate_of(stage, name, name) if rule.gate else rule.read if rule.read is _over_baseline else _of(stage, name)
    unit = metric.lost_unit if rule.unit == "points" else rule.unit
    return replace(rule, name=name, unit=unit, read=read, metric=metric, label=rule.name)


def rules_for(evidence: Evidence) -> tuple[Rule, ...]:
    """The rules that apply: with the metric that the package is judged by, of labels only where there are any."""
    own = [of_metric(rule, evidence.metric) for rule in RULES]
    metric = {rule.name for rule in own if rule.label}
    kept = [rule for rule in own if rule.label or rule.name not in metric]
    # Of another metric a baseline is named where a task has one.
    without = (
        evidence.metric.name != "accuracy" and evidence.figure("evaluate", f"baseline_{evidence.metric.name}") is None
    )
    kept = [rule for rule in kept if not (without and rule.read is _over_baseline)]
    kept = [rule for rule in kept if evidence.has("annotate") or rule.name not in OF_ANNOTATION]
    return tuple(rule for rule in kept if evidence.labels or rule.name not in LABELS_ALONE)


# Of the metrics of Modelyard's own tasks; that of a user's own task is named `metric`, `metric_lost`, ...
METRICS = (Judging("metric"), *(Judging(name, share=False) for name in ("spearman", "map", "chrf")), ACCURACY)
BY_NAME = {rule.name: rule for metric in METRICS for rule in (of_metric(each, metric) for each in RULES)}

# The shorter names that people write, and those of the stages' gates, beside the figures' own.
ALIASES = {
    "parity": "parity_max_abs",
    "golden": "golden_set",
    "dropped": "dropped_share",
    "p50_ms": "latency_p50_ms",
    "p90_ms": "latency_p90_ms",
    "p99_ms": "latency_p99_ms",
    "throughput": "throughput_rps",
    "baseline": "accuracy_over_baseline",
    "agreement": "resolved_agreement",
}


def known_name(name: str, metric: Judging | None = None) -> str:
    """The figure that a name or an alias means; the name itself when it is neither.

    metric: what `metric` stands for in `metric`, `metric_lost` and so on.
    """
    known = ALIASES.get(name, name)
    if metric is None:
        return known
    own = {shape.format("metric"): shape.format(metric.name) for shape in OF_METRIC.values()}
    return own.get(known, known)


def gate_rule(name: str) -> Rule:
    """The rule that `release.gates` means by a name. Raises ValueError for a figure that cannot be a gate."""
    rule = BY_NAME.get(known_name(name))
    names = [one.name for one in BY_NAME.values() if one.comparison in ("at_least", "at_most")] + list(ALIASES)
    if rule is None or rule.comparison not in ("at_least", "at_most"):
        close = difflib.get_close_matches(name, names, n=1)
        advice = f"did you mean {close[0]}?" if close else f"known: {', '.join(sorted(names))}"
        raise ValueError(f"no figure {name} that could be a gate; {advice}")
    return rule


def holds(value: float, comparison: str, bar: Bar) -> bool:
    """Whether the value lies on the right side of its bar (NaN never does)."""
    if isinstance(bar, tuple):
        # Bars are written in decimals: 1e-4 as float32 or computed must not miss 1e-4.
        return bar[0] <= value <= bar[1] or math.isclose(value, bar[0]) or math.isclose(value, bar[1])
    return value <= bar if comparison == "at_most" else value >= bar
