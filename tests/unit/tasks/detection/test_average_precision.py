"""Against pycocotools, which we did not write."""

from __future__ import annotations

import contextlib
import io
import math

import numpy as np
import pytest

from modelyard.measure.worth import paired_lost, worth_interval
from modelyard.tasks.detection import TASK
from modelyard.tasks.detection.average_precision import MeanAveragePrecision, average_precisions
from modelyard.tasks.detection.select import MOST

LABELS = ("cat", "dog", "fox")


def box(label, x, y, width, height):
    return {"label": label, "x": x, "y": y, "width": width, "height": height}


def answered(rows):
    """rows: a list of (label, x1, y1, x2, y2, score) for each picture, as a pipeline decodes them."""
    decoded = {
        "boxes": np.zeros((len(rows), MOST, 4), np.float32),
        "scores": np.zeros((len(rows), MOST), np.float32),
        "labels": np.full((len(rows), MOST), "", dtype=object),
        "count": np.array([len(row) for row in rows], np.int32),
    }
    for place, row in enumerate(rows):
        for number, (label, *corners, score) in enumerate(sorted(row, key=lambda each: -each[-1])):
            decoded["labels"][place, number] = label
            decoded["boxes"][place, number] = corners
            decoded["scores"][place, number] = score
    return decoded


def invented(seed, pictures=40):
    """Answers that are near, double, of another class, or nowhere."""
    rng = np.random.default_rng(seed)
    targets, rows = [], []
    for _ in range(pictures):
        true = [
            box(LABELS[rng.integers(3)], *rng.uniform(0, 100, 2), *rng.uniform(20, 50, 2))
            for _ in range(rng.integers(6))
        ]
        row = []
        for each in true:
            for _ in range(rng.integers(3)):
                x1, y1 = each["x"] + rng.uniform(-5, 5), each["y"] + rng.uniform(-5, 5)
                x2, y2 = each["x"] + each["width"] + rng.uniform(-5, 5), each["y"] + each["height"] + rng.uniform(-5, 5)
                label = each["label"] if rng.random() < 0.8 else LABELS[rng.integers(3)]
                row.append((label, x1, y1, x2, y2, round(rng.random(), 2)))
        for _ in range(3):
            x, y = rng.uniform(0, 100, 2)
            row.append((LABELS[rng.integers(3)], x, y, x + 20, y + 20, round(rng.random() * 0.5, 2)))
        targets.append(true)
        rows.append(row)
    return answered(rows), targets


def by_pycocotools(decoded, targets):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    annotations, results = [], []
    for row, true in enumerate(targets):
        for each in true:
            sides = [each["x"], each["y"], each["width"], each["height"]]
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": row + 1,
                    "category_id": LABELS.index(each["label"]) + 1,
                    "bbox": sides,
                    "area": sides[2] * sides[3],
                    "iscrowd": 0,
                }
            )
        for place in range(decoded["count"][row]):
            x1, y1, x2, y2 = decoded["boxes"][row, place].astype(float)
            kind = LABELS.index(decoded["labels"][row, place]) + 1
            score = float(decoded["scores"][row, place])
            results.append(
                {"image_id": row + 1, "category_id": kind, "bbox": [x1, y1, x2 - x1, y2 - y1], "score": score}
            )
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO()
        truth.dataset = {
            "images": [{"id": row + 1} for row in range(len(targets))],
            "annotations": annotations,
            "categories": [{"id": place + 1, "name": name} for place, name in enumerate(LABELS)],
        }
        truth.createIndex()
        judged = COCOeval(truth, truth.loadRes(results), "bbox")
        judged.evaluate()
        judged.accumulate()
        judged.summarize()
    return judged.stats[0], judged.stats[1]


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_is_the_figure_that_pycocotools_gives(seed):
    decoded, targets = invented(seed)
    metric = MeanAveragePrecision()
    evidence = metric.evidence(decoded, targets)
    everywhere, at_half = by_pycocotools(decoded, targets)
    assert metric.value(evidence) == pytest.approx(everywhere, abs=1e-12)
    assert average_precisions(evidence)[0].mean() == pytest.approx(at_half, abs=1e-12)


def test_right_boxes_give_one_and_none_give_zero():
    targets = [[box("cat", 10, 10, 20, 20)], [box("dog", 5, 5, 30, 30), box("cat", 50, 50, 10, 10)]]
    right = [[("cat", 10, 10, 30, 30, 0.9)], [("dog", 5, 5, 35, 35, 0.8), ("cat", 50, 50, 60, 60, 0.7)]]
    metric = TASK.metric
    assert metric.value(metric.evidence(answered(right), targets)) == pytest.approx(1.0)
    assert metric.value(metric.evidence(answered([[], []]), targets)) == 0.0


def test_pictures_without_any_box_have_no_figure():
    metric = TASK.metric
    assert math.isnan(metric.value(metric.evidence(answered([[("cat", 1, 1, 9, 9, 0.9)]]), [[]])))


def test_a_second_answer_for_one_box_is_a_false_one():
    targets = [[box("cat", 10, 10, 20, 20), box("cat", 60, 60, 20, 20)]]
    once = [[("cat", 10, 10, 30, 30, 0.9), ("cat", 60, 60, 80, 80, 0.5)]]
    twice = [[("cat", 10, 10, 30, 30, 0.9), ("cat", 10, 10, 30, 30, 0.8), ("cat", 60, 60, 80, 80, 0.5)]]
    metric = TASK.metric
    assert metric.value(metric.evidence(answered(once), targets)) == pytest.approx(1.0)
    assert metric.value(metric.evidence(answered(twice), targets)) == pytest.approx((51 + 50 * 2 / 3) / 101)


def test_rows_can_be_drawn_again_for_intervals_and_paired_losses():
    decoded, targets = invented(3)
    metric = TASK.metric
    evidence = metric.evidence(decoded, targets)
    low, high = worth_interval(metric, evidence, resamples=200)
    assert low < metric.value(evidence) < high
    lost, interval = paired_lost(metric, evidence, evidence, resamples=200)
    assert (lost, interval) == (0.0, (0.0, 0.0))
