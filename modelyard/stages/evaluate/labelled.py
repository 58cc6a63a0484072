"""What is told of answers that are labels: classes, confusions, calibration, wrong answers."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.media.thumbnail import thumbnail
from modelyard.run import Run
from modelyard.stages.evaluate.calibration import calibration_bins, expected_calibration_error
from modelyard.stages.evaluate.classes import Answers, per_class
from modelyard.stages.evaluate.config import EvaluateConfig
from modelyard.tasks import Task
from modelyard.tasks.classes import confusion, macro_f1
from modelyard.tasks.pipeline import Tensors

WRONG_SHOWN = 20
SOURCE_COLUMNS = ("source_file", "source_line")  # where ingest found a row


def labelled(task: Task, decoded: Tensors) -> bool:
    """Whether the answers are labels with a score, and the targets labels: what this file tells of needs both."""
    return task.target_field == "label" and {"label", "score"} <= set(decoded)


def labelled_answers(decoded: Tensors, test: Examples, labels: list[str]) -> Answers:
    index = {label: place for place, label in enumerate(labels)}
    predicted = np.array([index[label] for label in decoded["label"]])
    truth = np.array([index[target] for target in test.targets])
    return Answers(predicted, truth, decoded["score"].astype(np.float64), labels)


def record_classes(answers: Answers, test: Examples, config: EvaluateConfig, run: Run) -> None:
    counts = confusion(answers.predicted, answers.truth, len(answers.labels))
    classes = per_class(counts, answers.labels)
    bins = calibration_bins(answers.confidence, answers.right, config.bins)
    rows = f"{len(test):,} test rows"
    if "macro_f1" not in run.figures:  # it may be what the task itself is judged by
        run.record("macro_f1", macro_f1(counts), how=f"{rows}, mean over {len(classes)} classes")
    run.record("ece", expected_calibration_error(bins), how=f"{rows}, {config.bins} equal-width bins")
    run.details["majority_accuracy"] = float(np.bincount(answers.truth).max() / len(test))
    run.details["per_class"] = classes
    run.details["confusion"] = {"labels": list(answers.labels), "counts": counts.tolist()}
    run.details["calibration"] = {"bins": bins}
    run.details["examples_wrong"] = _wrong(answers, test)


def _wrong(answers: Answers, test: Examples) -> list[dict[str, Any]]:
    """The wrong answers that the model was surest of: where labels are wrong, or the model is."""
    wrong = np.flatnonzero(~answers.right)
    surest = wrong[np.argsort(-answers.confidence[wrong], kind="stable")][:WRONG_SHOWN]
    return [
        {
            "row_id": test.row_ids[row],
            "text": test.text(row)[:500],
            **_picture_of(test, int(row)),
            "label": answers.labels[answers.truth[row]],
            "predicted": answers.labels[answers.predicted[row]],
            "score": round(float(answers.confidence[row]), 4),
            **source_of(test, int(row)),
        }
        for row in surest
    ]


def _picture_of(test: Examples, row: int) -> dict[str, str]:
    """Base64 of a small JPEG, where a request is a picture."""
    try:
        return {"picture": base64.b64encode(thumbnail(test.file(row))).decode()} if test.file(row) else {}
    except ValueError:  # a file of another kind
        return {}


def source_of(test: Examples, row: int) -> dict[str, Any]:
    """File and line of a row, where ingest kept them."""
    return {name.removeprefix("source_"): test.meta[name][row] for name in SOURCE_COLUMNS if name in test.meta}
