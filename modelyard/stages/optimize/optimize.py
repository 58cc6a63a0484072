"""Make the package faster and smaller where that is free: candidates are measured as served, and stay or go by rule."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelyard.measure.alternation import alternate
from modelyard.measure.examples import Examples, read_examples
from modelyard.measure.intervals import paired_loss
from modelyard.measure.percentiles import summary
from modelyard.measure.predictions import raw_outputs
from modelyard.measure.server import served
from modelyard.run import Run
from modelyard.stages.optimize.candidates import add_candidate, finish, plain_float, start_draft
from modelyard.stages.optimize.config import OptimizeConfig
from modelyard.stages.optimize.verdicts import FLOAT, Measured, Verdict, in_order, judge_accuracy, judge_speed
from modelyard.store import Dataset, Package
from modelyard.tasks import Pipeline, task_of

CONCURRENCIES = (1, 8)


def optimize(package: Package, dataset: Dataset, config: OptimizeConfig, run: Run) -> Package:
    """The package with the variants that are really faster and still right, fastest first, plain float last.

    Raises BadInput for a package without a plain float graph, EnvironmentProblem when a server does not start or
    fails requests.
    """
    plain_float(package)
    task = task_of(package, run.allowed_code)
    examples = read_examples(dataset, task, "validation")
    with run.store.new_directory() as folder:
        start_draft(package, folder)
        pipeline = task.open_pipeline(folder, package.info["pipeline"])
        candidates = []
        for name in run.progress(dict.fromkeys(config.variants), "optimize: make"):
            candidates.append(add_candidate(folder, name, pipeline, config, run.threads))
        draft = Package.open(folder)
        reference = Measured(FLOAT, draft.variant_size(plain_float(draft)), agreement=1.0, max_abs=0.0)
        _measure_accuracy(draft, pipeline, reference, candidates, examples, run)
        verdicts = {measured.name: judge_accuracy(measured, config.max_accuracy_lost) for measured in candidates}
        _measure_speed(draft, reference, [c for c in candidates if verdicts[c.name].kept], examples, config, run)
        for measured in candidates:
            if verdicts[measured.name].kept:
                verdicts[measured.name] = _both(verdicts[measured.name], judge_speed(measured))
        order = in_order([measured for measured in candidates if verdicts[measured.name].kept])
        _record(reference, candidates, verdicts, order, examples, config, run)
        finish(folder, [*(measured.name for measured in order), FLOAT])
        provenance = {
            "stage": "optimize",
            "package": package.digest,
            "dataset": dataset.digest,
            "config": config.model_dump(mode="json"),
        }
        return run.store.add(Package, folder, provenance)


def _both(accuracy: Verdict, speed: Verdict) -> Verdict:
    if not speed.kept:
        return speed
    return Verdict(True, f"{speed.reason}; {accuracy.reason}", accuracy.warning)


def _measure_accuracy(
    draft: Package,
    pipeline: Pipeline,
    reference: Measured,
    candidates: Sequence[Measured],
    examples: Examples,
    run: Run,
) -> None:
    """Accuracy on validation of every candidate that could be made, paired with the float graph's."""
    prepared = pipeline.prepare_batch(examples.items)
    targets = np.array(examples.targets, dtype=object)

    def labels(name: str) -> np.ndarray[Any, np.dtype[Any]]:
        return np.asarray(pipeline.decode(raw_outputs(draft, name, pipeline, prepared, run.threads))["label"])

    by_float = labels(FLOAT)
    known = by_float == targets
    reference.accuracy, reference.accuracy_lost, reference.accuracy_lost_interval = float(known.mean()), 0.0, (0.0, 0.0)
    for measured in run.progress([c for c in candidates if not c.broken], "optimize: accuracy"):
        answers = labels(measured.name)
        found = answers == targets
        measured.agreement = float((answers == by_float).mean())
        lost, won = int((known & ~found).sum()), int((found & ~known).sum())
        measured.accuracy = float(found.mean())
        measured.accuracy_lost = (lost - won) / len(known)
        measured.accuracy_lost_interval = paired_loss(lost, won, len(known))


def _measure_speed(
    draft: Package,
    reference: Measured,
    candidates: Sequence[Measured],
    examples: Examples,
    config: OptimizeConfig,
    run: Run,
) -> None:
    """Every candidate as served, in turns with the float graph, at each of CONCURRENCIES."""
    everyone = [reference, *candidates]
    with contextlib.ExitStack() as stack:
        targets = {}
        for measured in run.progress(everyone, "optimize: start servers"):
            targets[measured.name] = stack.enter_context(served(draft, measured.name))
        for concurrency in run.progress(CONCURRENCIES, "optimize: load"):
            turns = alternate(
                targets,
                examples.texts,
                concurrency,
                requests=config.requests,
                seconds=config.load_seconds / len(CONCURRENCIES),
                seed=config.seed,
            )
            for measured in everyone:
                measured.served[str(concurrency)] = summary(turns.load(measured.name))
                if concurrency == 1:
                    ratio = turns.speedup(measured.name, FLOAT)
                    measured.speedup, measured.speedup_interval = ratio.value, ratio.interval


def _shown(measured: Measured, verdict: Verdict, chosen: str) -> dict[str, Any]:
    """One row of the report's table of variants."""
    one, eight = (measured.served.get(str(concurrency), {}) for concurrency in CONCURRENCIES)
    return {
        "name": measured.name,
        "runtime": "onnxruntime",
        "size_bytes": measured.size_bytes,
        "p50_ms": one.get("p50_ms"),
        "p99_ms": one.get("p99_ms"),
        "cpu_ms": eight.get("cpu_ms"),
        "throughput_rps": eight.get("throughput_rps"),
        "served": measured.served,
        "accuracy": measured.accuracy,
        "accuracy_lost": measured.accuracy_lost,
        "accuracy_lost_interval": measured.accuracy_lost_interval,
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
    config: OptimizeConfig,
    run: Run,
) -> None:
    """Figures, the gate, and the table of variants."""
    chosen = order[0] if order else reference
    stays = Verdict(True, "the plain float graph: the reference, and the last resort of the package")
    run.details["variants"] = [
        _shown(measured, verdicts.get(measured.name, stays), chosen.name) for measured in [reference, *candidates]
    ]
    run.details["chosen"] = chosen.name
    run.details["why"] = _why(chosen, reference, candidates, verdicts)
    rows = f"{len(examples):,} validation rows, paired with the float graph"
    assert chosen.accuracy_lost is not None
    for measured in order:
        if verdicts[measured.name].warning:
            run.warn(verdicts[measured.name].warning)
    run.record(
        "size_ratio", reference.size_bytes / chosen.size_bytes, how=f"graph files, plain float over {chosen.name}"
    )
    run.record(
        "speedup",
        chosen.speedup,
        how=f"P50 of the plain float graph over {chosen.name}, both as served, one request at a time, in short"
        f" turns on the same texts (median of the turns), {chosen.served['1']['requests']} requests each, one thread",
        interval=chosen.speedup_interval,
    )
    run.record(
        "accuracy_lost",
        chosen.accuracy_lost,
        how=rows + ", interval by Agresti and Min",
        interval=chosen.accuracy_lost_interval,
    )
    run.gate("accuracy_lost", chosen.accuracy_lost, at_most=config.max_accuracy_lost)


def _why(chosen: Measured, reference: Measured, candidates: Sequence[Measured], verdicts: dict[str, Verdict]) -> str:
    """One sentence: which variant is served, its figures, and what became of the others."""
    dropped = [f"{c.name} {verdicts[c.name].reason}" for c in candidates if not verdicts[c.name].kept]
    p50 = chosen.served["1"]["p50_ms"]
    lost = 0.0 if chosen.accuracy_lost is None else chosen.accuracy_lost
    change = "unchanged" if abs(lost) < 0.0005 else f"{-lost:+.3f}"
    sentence = f"{chosen.name}: {p50:.1f} ms, {chosen.size_bytes / 1e6:.0f} MB, accuracy {change}"
    if chosen is not reference:
        sentence += f", {chosen.speedup:.2f} times as fast as float"
    return "; ".join([sentence, *dropped])
