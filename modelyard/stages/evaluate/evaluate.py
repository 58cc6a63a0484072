"""What the package is worth: on test rows that nothing has seen, through the variant that will be served."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from modelyard.errors import EnvironmentProblem
from modelyard.measure.examples import Examples, hold_labels, read_examples
from modelyard.measure.predictions import raw_outputs
from modelyard.measure.worth import metric_of, shown_metric, worth, worth_interval
from modelyard.run import Run
from modelyard.runtimes.choose import choose_variant
from modelyard.runtimes.golden import read_golden
from modelyard.stages.evaluate.baselines import record_baseline
from modelyard.stages.evaluate.config import EvaluateConfig
from modelyard.stages.evaluate.labelled import (
    SOURCE_COLUMNS,
    labelled,
    labelled_answers,
    record_classes,
)
from modelyard.stages.evaluate.ranked import record_ranked
from modelyard.stages.evaluate.slices import LENGTH, left_out, length_values, metric_slices
from modelyard.stages.evaluate.speed import FLOAT, Speed, measure_speed, record_speed
from modelyard.store import Dataset, Model, Package, Report
from modelyard.tasks import Metric, Pipeline, Prepared, Task, task_of
from modelyard.tasks.agreements import AGREEMENTS
from modelyard.tasks.pipeline import Array

# What a golden input must be given, by how the task's answers agree.


def evaluate(
    package: Package, dataset: Dataset, config: EvaluateConfig, run: Run, model: Model | None = None
) -> Report:
    """The task's metric with its interval, by slices, and what else its answers tell (classes and calibration of
    labels, levels of numbers); latency, throughput and cost as served.

    model: the eager model that latency and cost are compared with; "not measured" without one.
    Raises BadInput for a task without a metric and for test labels that the package does not know, GateFailed when the
    golden set is not passed.
    """
    task = task_of(package, run.allowed_code)
    metric = metric_of(task)
    meta = [column.name for column in dataset.with_role("meta")]
    source = [name for name in SOURCE_COLUMNS if dataset.has(name)]
    test = read_examples(dataset, task, "test", [*meta, *source])
    labels = [str(label) for label in package.info.get("labels", [])]
    hold_labels(task, test.targets, labels, "test")
    pipeline = task.open_pipeline(package.path, package.info["pipeline"])
    variant = _golden_set(package, pipeline, task, run)
    prepared = pipeline.prepare_batch(test.items)
    decoded = pipeline.decode(raw_outputs(package, variant, pipeline, prepared, run.threads))
    evidence = metric.evidence(decoded, test.targets)
    _record_worth(metric, evidence, test, {name: test.meta[name] for name in meta}, _sizes(prepared, test), config, run)
    if labelled(task, decoded):
        answers = labelled_answers(decoded, test, labels)
        record_classes(answers, test, config, run)
    pairs = metric.pairs(evidence)
    if pairs is not None:
        record_ranked(pairs, test, run)
    _record_size(package, variant, run)
    record_baseline(dataset, task, test, run)
    speed = measure_speed(package, variant, test, task.eager, model, config, run)
    record_speed(speed, variant, run)
    _record_eager_worth(speed, test, metric, run)
    return run.report("evaluate")


def _golden_set(package: Package, pipeline: Pipeline, task: Task, run: Run) -> str:
    """Replay the whole golden set as the server will; answers the variant that serves on this machine."""
    golden = read_golden(package)
    try:
        choice = choose_variant(package, pipeline, golden, threads=run.threads, count=len(golden.inputs))
    except EnvironmentProblem as error:
        run.gate("golden_set", 0.0, at_least=1.0, message=error.message, next=error.next)
        raise
    for name, reason in choice.passed_over:
        run.warn(f"variant {name} is passed over on this machine: {reason}")
    variant, replay = choice.variant, choice.replay
    least = 1.0 - math.ceil((1.0 - variant["tolerance"]["agreement"]) * replay.checked - 1e-9) / replay.checked
    run.details["variant"] = variant["name"]
    run.record(
        "golden_max_abs",
        replay.max_abs,
        how=f"variant {variant['name']}, {replay.checked} golden inputs, tolerance {variant['tolerance']['max_abs']:g}",
    )
    same = round(replay.agreement * replay.checked)
    may_differ = round((1.0 - least) * replay.checked)
    answer = AGREEMENTS[task.agreement].answer
    run.record(
        "golden_set",
        replay.agreement,
        how=f"variant {variant['name']} gives {same} of {replay.checked} golden inputs {answer}, at"
        f" most {may_differ} may differ; raw outputs differ by {replay.max_abs:.2g} at most, tolerance"
        f" {variant['tolerance']['max_abs']:g}",
        unit="share",
    )
    run.gate("golden_set", replay.agreement, at_least=least)
    return str(variant["name"])


def _sizes(prepared: Sequence[Prepared], test: Examples) -> list[int]:
    """Tokens of each row, over all its requests."""
    sizes = np.array([item.size for item in prepared]).reshape(len(test), test.per_row).sum(axis=1)
    return [int(size) for size in sizes]


def _record_worth(
    metric: Metric,
    evidence: Array,
    test: Examples,
    meta: dict[str, list[str | None]],
    sizes: list[int],
    config: EvaluateConfig,
    run: Run,
) -> None:
    """The metric over all test rows and over slices of them."""
    rows = f"{len(test):,} test rows"
    run.details["metric"] = shown_metric(metric)
    run.record(
        metric.name,
        worth(metric, evidence, rows),
        how=f"{rows}, percentile bootstrap, {config.resamples} resamples",
        interval=worth_interval(metric, evidence, resamples=config.resamples, seed=config.seed),
    )
    run.details["rows_test"] = len(test)
    columns: dict[str, Sequence[str | None]] = {**meta, LENGTH: length_values(sizes)}
    run.details["slices"] = metric_slices(
        metric,
        evidence,
        columns,
        most_values=config.slice_values,
        least_rows=config.slice_rows,
        resamples=config.resamples,
    )
    run.details["slices_left_out"] = left_out(columns, most_values=config.slice_values, least_rows=config.slice_rows)
    run.details["slice_rows"] = config.slice_rows


def _record_size(package: Package, variant: str, run: Run) -> None:
    sizes = {str(spec["name"]): package.variant_size(spec) for spec in package.variants}
    run.record("size_bytes", sizes[variant], how=f"graph files of {variant}", unit="bytes")
    run.record(
        "size_ratio",
        sizes[FLOAT] / sizes[variant] if FLOAT in sizes else None,
        how=f"graph files, plain float over {variant}"
        if FLOAT in sizes
        else "not measured: the package has no float graph",
    )


def _record_eager_worth(speed: Speed, test: Examples, metric: Metric, run: Run) -> None:
    """On `eager_rows` of the test rows at most: eager answers are slow to wait for."""
    name = f"eager_{metric.name}"
    if speed.eager_answers is None:
        run.record(name, None, how=f"not measured: {speed.no_eager}")
        return
    rows = len(next(iter(speed.eager_answers.values()))) // test.per_row
    value = metric.value(metric.evidence(speed.eager_answers, test.targets[:rows]))
    asked = f"{rows:,} test rows" if rows == len(test) else f"the first {rows:,} of {len(test):,} test rows"
    if not math.isfinite(value):
        run.record(name, None, how=f"not measured: {metric.name} has no value on {asked}")
        return
    run.record(name, value, how=f"the eager model over the wire, {asked}")
