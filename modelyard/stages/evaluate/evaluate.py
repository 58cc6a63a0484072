"""What the package is worth: on test rows that nothing has seen, through the variant that will be served."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.measure.examples import Examples, read_examples
from modelyard.measure.intervals import bootstrap_mean
from modelyard.measure.predictions import raw_outputs
from modelyard.run import Run
from modelyard.runtimes.choose import choose_variant
from modelyard.runtimes.golden import read_golden
from modelyard.stages.evaluate.calibration import calibration_bins, expected_calibration_error
from modelyard.stages.evaluate.classes import Answers, confusion, macro_f1, per_class
from modelyard.stages.evaluate.config import EvaluateConfig
from modelyard.stages.evaluate.slices import LENGTH, accuracy_slices, left_out, length_values
from modelyard.stages.evaluate.speed import FLOAT, Speed, measure_speed, record_speed
from modelyard.stages.evaluate.word_baseline import word_baseline
from modelyard.store import Dataset, Model, Package, Report
from modelyard.store.dataset import SPLIT
from modelyard.tasks import Pipeline, task_of

WRONG_SHOWN = 20
SOURCE_COLUMNS = ("source_file", "source_line")  # where ingest found a row


def evaluate(
    package: Package, dataset: Dataset, config: EvaluateConfig, run: Run, model: Model | None = None
) -> Report:
    """Accuracy and its interval, per class, calibration, slices, wrong answers; latency, throughput and cost as served.

    model: the eager model that latency and cost are compared with; "not measured" without one.
    Raises BadInput for test labels that the package does not know, GateFailed when the golden set is not passed.
    """
    task = task_of(package, run.allowed_code)
    meta = [column.name for column in dataset.with_role("meta")]
    source = [name for name in SOURCE_COLUMNS if dataset.has(name)]
    test = read_examples(dataset, task, "test", [*meta, *source])
    pipeline = task.open_pipeline(package.path, package.info["pipeline"])
    variant = _golden_set(package, pipeline, run)
    answers, sizes = _answers(package, variant, pipeline, test, run)
    _record_accuracy(answers, test, {name: test.meta[name] for name in meta}, sizes, config, run)
    _record_size(package, variant, run)
    _record_baselines(dataset, package, test, answers, run)
    speed = measure_speed(package, variant, test, model, config, run)
    record_speed(speed, run)
    _record_eager_accuracy(speed, test, run)
    return run.report("evaluate")


def _golden_set(package: Package, pipeline: Pipeline, run: Run) -> str:
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
    run.record(
        "golden_set",
        replay.agreement,
        how=f"variant {variant['name']} gives {same} of {replay.checked} golden inputs the label of the float model, at"
        f" most {may_differ} may differ; raw outputs differ by {replay.max_abs:.2g} at most, tolerance"
        f" {variant['tolerance']['max_abs']:g}",
        unit="share",
    )
    run.gate("golden_set", replay.agreement, at_least=least)
    return str(variant["name"])


def _answers(package: Package, variant: str, pipeline: Pipeline, test: Examples, run: Run) -> tuple[Answers, list[int]]:
    """What the variant says of every test row, and the rows' sizes in tokens."""
    labels = [str(label) for label in package.info["labels"]]
    index = {label: place for place, label in enumerate(labels)}
    unknown = sorted({target for target in test.targets if target not in index})
    if unknown:
        raise BadInput(
            f"the test rows have the class {unknown[0]!r}, the package knows {', '.join(labels)}",
            next="evaluate on data with the classes that the model was trained on",
        )
    prepared = pipeline.prepare_batch(test.items)
    decoded = pipeline.decode(raw_outputs(package, variant, pipeline, prepared, run.threads))
    predicted = np.array([index[label] for label in decoded["label"]])
    truth = np.array([index[target] for target in test.targets])
    return Answers(predicted, truth, decoded["score"].astype(np.float64), labels), [item.size for item in prepared]


def _record_accuracy(
    answers: Answers,
    test: Examples,
    meta: dict[str, list[str | None]],
    sizes: list[int],
    config: EvaluateConfig,
    run: Run,
) -> None:
    counts = confusion(answers)
    classes = per_class(counts, answers.labels)
    bins = calibration_bins(answers.confidence, answers.right, config.bins)
    rows = f"{len(test):,} test rows"
    run.record(
        "accuracy",
        float(answers.right.mean()),
        how=f"{rows}, percentile bootstrap, {config.resamples} resamples",
        interval=bootstrap_mean(answers.right, resamples=config.resamples, seed=config.seed),
    )
    run.record("macro_f1", macro_f1(classes), how=f"{rows}, mean over {len(classes)} classes")
    run.record("ece", expected_calibration_error(bins), how=f"{rows}, {config.bins} equal-width bins")
    run.details["rows_test"] = len(test)
    run.details["per_class"] = classes
    run.details["confusion"] = {"labels": list(answers.labels), "counts": counts.tolist()}
    run.details["calibration"] = {"bins": bins}
    columns: dict[str, Sequence[str | None]] = {**meta, LENGTH: length_values(sizes)}
    run.details["slices"] = accuracy_slices(
        answers.right,
        columns,
        most_values=config.slice_values,
        least_rows=config.slice_rows,
        resamples=config.resamples,
    )
    run.details["slices_left_out"] = left_out(columns, most_values=config.slice_values, least_rows=config.slice_rows)
    run.details["slice_rows"] = config.slice_rows
    run.details["examples_wrong"] = _wrong(answers, test)


def _wrong(answers: Answers, test: Examples) -> list[dict[str, Any]]:
    """The wrong answers that the model was surest of: where labels are wrong, or the model is."""
    wrong = np.flatnonzero(~answers.right)
    surest = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:WRONG_SHOWN]
    return [
        {
            "row_id": test.row_ids[row],
            "text": test.texts[row][:500],
            "label": answers.labels[answers.truth[row]],
            "predicted": answers.labels[answers.predicted[row]],
            "score": round(float(answers.confidence[row]), 4),
            **{name.removeprefix("source_"): test.meta[name][row] for name in SOURCE_COLUMNS if name in test.meta},
        }
        for row in surest
    ]


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


def _record_baselines(dataset: Dataset, package: Package, test: Examples, answers: Answers, run: Run) -> None:
    """Words with logistic regression, and always answering the most frequent class."""
    run.details["majority_accuracy"] = float(np.bincount(answers.truth).max() / len(test))
    sides = set(dataset.read([SPLIT])[SPLIT].to_pylist()) if dataset.has(SPLIT) else set()
    missing = [side for side in ("train", "validation") if side not in sides]
    if missing:
        run.record("baseline_accuracy", None, how=f"not measured: the data have no {' and no '.join(missing)} side")
        return
    task = task_of(package, run.allowed_code)
    run.listener.progress("evaluate: baseline", 0, None)
    baseline = word_baseline(read_examples(dataset, task, "train"), read_examples(dataset, task, "validation"), test)
    if baseline is None:
        run.record("baseline_accuracy", None, how="not measured: the training texts hold no word")
        return
    run.record("baseline_accuracy", baseline.accuracy, how=baseline.how)


def _record_eager_accuracy(speed: Speed, test: Examples, run: Run) -> None:
    if speed.eager_labels is None:
        run.record("eager_accuracy", None, how=f"not measured: {speed.no_eager}")
        return
    labels = speed.eager_labels
    right = sum(label == target for label, target in zip(labels, test.targets, strict=False))
    run.record("eager_accuracy", right / len(labels), how=f"the eager model over the wire, {len(labels):,} test rows")
