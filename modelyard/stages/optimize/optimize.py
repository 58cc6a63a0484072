"""Make the package faster and smaller where that is free: candidates are measured as served, and stay or go by rule."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Sequence
from typing import Any

from modelyard.measure.alternation import alternate
from modelyard.measure.examples import Examples, read_examples
from modelyard.measure.percentiles import summary
from modelyard.measure.predictions import raw_outputs
from modelyard.measure.server import served
from modelyard.measure.worth import lost_method, metric_of, paired_lost, shown_metric, worth
from modelyard.run import Run
from modelyard.runtimes.golden_writing import spread
from modelyard.stages.optimize.candidates import (
    add_brought,
    add_candidate,
    brought,
    finish,
    reference_variant,
    start_draft,
)
from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.stages.optimize.verdicts import Measured, Verdict, in_order, judge_lost, judge_speed
from modelyard.store import Dataset, Package
from modelyard.tasks import Metric, Pipeline, Task, task_of
from modelyard.tasks.agreements import AGREEMENTS
from modelyard.tasks.pipeline import Array, Prepared, Tensors

CONCURRENCIES = (1, 8)
FLOAT = "float"  # the reference of a package that was exported here


def optimize(package: Package, dataset: Dataset, config: OptimizeConfig, run: Run) -> Package:
    """The package with the variants that are really faster and still right, fastest first, its reference last.

    Raises BadInput for a package without a reference graph or a task without a metric, EnvironmentProblem when a
    server does not start or fails requests.
    """
    reference_variant(package)
    task = task_of(package, run.allowed_code)
    metric = metric_of(task)
    examples = read_examples(dataset, task, "validation")
    with run.store.new_directory() as folder:
        start_draft(package, folder)
        pipeline = task.open_pipeline(folder, package.info["pipeline"])
        prepared = pipeline.prepare_batch(examples.items)
        chosen = [prepared[row] for row in spread([item.size for item in prepared], config.calibration_rows)]
        candidates = []
        # A graph that came quantised is not quantised again.
        wanted = dict.fromkeys(name for name in config.variants if name != package.reference)
        for name in run.progress(wanted, "optimize: make"):
            candidates.append(add_candidate(folder, name, pipeline, chosen, config, run.threads))
        for variant in run.progress(brought(package), "optimize: open"):
            candidates.append(add_brought(folder, variant, pipeline, run.threads))
        draft = Package.open(folder)
        base = reference_variant(draft)
        reference = Measured(
            package.reference, str(base["runtime"]), draft.variant_size(base), agreement=1.0, max_abs=0.0
        )
        _measure_worth(draft, pipeline, task, reference, candidates, examples, prepared, run)
        shown = shown_metric(metric)
        verdicts = {measured.name: judge_lost(measured, config.max_accuracy_lost, shown) for measured in candidates}
        _measure_speed(draft, reference, [c for c in candidates if verdicts[c.name].kept], examples, config, run)
        for measured in candidates:
            if verdicts[measured.name].kept:
                verdicts[measured.name] = _both(verdicts[measured.name], judge_speed(measured, reference.name))
        order = in_order([measured for measured in candidates if verdicts[measured.name].kept])
        _record(reference, candidates, verdicts, order, examples, metric, config, run)
        finish(folder, [*(measured.name for measured in order), reference.name])
        provenance = {
            "stage": "optimize",
            "package": package.digest,
            "dataset": dataset.digest,
            "config": config.model_dump(mode="json"),
        }
        return run.store.add(Package, folder, provenance)


def _both(worth: Verdict, speed: Verdict) -> Verdict:
    if not speed.kept:
        return speed
    return Verdict(True, f"{speed.reason}; {worth.reason}", worth.warning)


def _measure_worth(
    draft: Package,
    pipeline: Pipeline,
    task: Task,
    reference: Measured,
    candidates: Sequence[Measured],
    examples: Examples,
    prepared: Sequence[Prepared],
    run: Run,
) -> None:
    """By the task's metric on validation, of every candidate that could be made, paired with the reference."""
    metric, rows = metric_of(task), f"{len(examples):,} validation rows"

    def answered(name: str) -> tuple[Tensors, Array]:
        outputs = raw_outputs(draft, name, pipeline, prepared, run.threads)
        return outputs, metric.evidence(pipeline.decode(outputs), examples.targets)

    expected, known = answered(reference.name)
    reference.worth, reference.lost, reference.lost_interval = worth(metric, known, rows), 0.0, (0.0, 0.0)
    for measured in run.progress([c for c in candidates if not c.broken], "optimize: accuracy"):
        outputs, found = answered(measured.name)
        measured.agreement = float(AGREEMENTS[task.agreement].same(outputs, expected).mean())
        if not math.isfinite(metric.value(found)):
            measured.broken = f"dropped: its answers have no {metric.name}: all are one and the same"
            continue
        measured.worth = metric.value(found)
        measured.lost, measured.lost_interval = paired_lost(metric, known, found)


def _measure_speed(
    draft: Package,
    reference: Measured,
    candidates: Sequence[Measured],
    examples: Examples,
    config: OptimizeConfig,
    run: Run,
) -> None:
    """Every candidate as served, in turns with the reference, at each of CONCURRENCIES."""
    everyone = [reference, *candidates]
    with contextlib.ExitStack() as stack:
        targets = {}
        for measured in run.progress(everyone, "optimize: start servers"):
            targets[measured.name] = stack.enter_context(served(draft, measured.name))
        for concurrency in run.progress(CONCURRENCIES, "optimize: load"):
            turns = alternate(
                targets,
                examples.requests,
                concurrency,
                requests=config.requests,
                seconds=config.load_seconds / len(CONCURRENCIES),
                seed=config.seed,
            )
            for measured in everyone:
                measured.served[str(concurrency)] = summary(turns.load(measured.name))
                if concurrency == 1:
                    ratio = turns.speedup(measured.name, reference.name)
                    measured.speedup, measured.speedup_interval = ratio.value, ratio.interval


def _shown(measured: Measured, verdict: Verdict, chosen: str, metric: str) -> dict[str, Any]:
    """One row of the report's table of variants."""
    one, eight = (measured.served.get(str(concurrency), {}) for concurrency in CONCURRENCIES)
    return {
        "name": measured.name,
        "runtime": measured.runtime,
        "size_bytes": measured.size_bytes,
        "p50_ms": one.get("p50_ms"),
        "p99_ms": one.get("p99_ms"),
        "cpu_ms": eight.get("cpu_ms"),
        "throughput_rps": eight.get("throughput_rps"),
        "served": measured.served,
        metric: measured.worth,
        f"{metric}_lost": measured.lost,
        f"{metric}_lost_interval": measured.lost_interval,
        "agreement": measured.agreement,
        "max_abs": measured.max_abs,
        "speedup": measured.speedup,
        "speedup_interval": measured.speedup_interval,
        "kept": verdict.kept,
        "chosen": measured.name == chosen,
        "reason": verdict.reason,
        **measured.made_by,
    }


def _record(
    reference: Measured,
    candidates: Sequence[Measured],
    verdicts: dict[str, Verdict],
    order: Sequence[Measured],
    examples: Examples,
    metric: Metric,
    config: OptimizeConfig,
    run: Run,
) -> None:
    """Figures, the gate, and the table of variants."""
    chosen = order[0] if order else reference
    what = "plain float graph" if reference.name == FLOAT else f"graph as it came ({reference.name})"
    stays = Verdict(True, f"the {what}: the reference, and the last resort of the package")
    run.details["metric"] = shown_metric(metric)
    run.details["reference"] = reference.name
    run.details["variants"] = [
        _shown(measured, verdicts.get(measured.name, stays), chosen.name, metric.name)
        for measured in [reference, *candidates]
    ]
    run.details["chosen"] = chosen.name
    run.details["why"] = _why(chosen, reference, candidates, verdicts, metric)
    assert chosen.lost is not None
    for measured in order:
        if verdicts[measured.name].warning:
            run.warn(verdicts[measured.name].warning)
    if reference.name == FLOAT:
        run.record(
            "size_ratio", reference.size_bytes / chosen.size_bytes, how=f"graph files, plain float over {chosen.name}"
        )
    else:
        run.record("size_ratio", None, how="not measured: the package has no float graph")
    run.record(
        "speedup",
        chosen.speedup,
        how=f"P50 of the {what} over {chosen.name}, both as served, one request at a time, in short"
        f" turns on the same inputs (median of the turns), {chosen.served['1']['requests']} requests each, one thread",
        interval=chosen.speedup_interval,
    )
    lost = f"{metric.name}_lost"
    paired = "float graph" if reference.name == FLOAT else what
    run.record(
        lost,
        chosen.lost,
        how=f"{len(examples):,} validation rows, paired with the {paired}, {lost_method(metric)}",
        interval=chosen.lost_interval,
    )
    run.gate(lost, chosen.lost, at_most=config.max_accuracy_lost)


def _why(
    chosen: Measured,
    reference: Measured,
    candidates: Sequence[Measured],
    verdicts: dict[str, Verdict],
    metric: Metric,
) -> str:
    """One sentence: which variant is served, its figures, and what became of the others."""
    dropped = [f"{c.name} {verdicts[c.name].reason}" for c in candidates if not verdicts[c.name].kept]
    p50 = chosen.served["1"]["p50_ms"]
    lost = 0.0 if chosen.lost is None else chosen.lost
    change = "unchanged" if abs(lost) < 0.0005 else f"{-lost:+.3f}"
    sentence = f"{chosen.name}: {p50:.1f} ms, {chosen.size_bytes / 1e6:.0f} MB, {metric.name} {change}"
    if chosen is not reference:
        sentence += f", {chosen.speedup:.2f} times as fast as {reference.name}"
    return "; ".join([sentence, *dropped])
