"""Mean average precision as COCO has it: AP at IoU 0.50, 0.55 ... 0.95 over 101 recalls, the mean over classes.

Source: Lin et al., "Microsoft COCO: Common Objects in Context", ECCV 2014, and the evaluation code cocoeval.py; here
with all areas, at most 100 boxes a picture, no crowds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.media.box_geometry import iou, size_form
from modelyard.media.named_boxes import rectangles
from modelyard.tasks.detection.select import BOXES, COUNT, SCORES
from modelyard.tasks.metric import Metric
from modelyard.tasks.pipeline import Array, Tensors

THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)


@dataclass(frozen=True)
class Judged:
    """One picture. classes [d] and scores [d] of its answers, right bool [d, 10]: whether each is a wanted box at each
    of THRESHOLDS; wanted [g]: classes of the true boxes. Classes are numbers into `labels` of their evidence."""

    classes: Array
    scores: Array
    right: Array
    wanted: Array


class MeanAveragePrecision(Metric):
    """Evidence: an object array [rows] of Judged: what is right on one picture does not hang on another."""

    name = "map"

    def evidence(self, decoded: Tensors, targets: Sequence[Any]) -> Array:
        """targets: a list of {label, x, y, width, height} for each picture."""
        number = {label: place for place, label in enumerate(sorted({box["label"] for row in targets for box in row}))}
        judged = np.empty(len(targets), dtype=object)
        for row, boxes in enumerate(targets):
            count = int(decoded[COUNT][row])
            names = decoded["labels"][row][:count]
            # A class that is nowhere wanted counts for nothing, as in COCO.
            known = np.array([number.get(name, -1) for name in names], dtype=np.int64)
            wanted = np.array([number[box["label"]] for box in boxes], dtype=np.int64)
            judged[row] = judge(
                size_form(decoded[BOXES][row][:count].astype(np.float64)),
                known,
                decoded[SCORES][row][:count].astype(np.float64),
                rectangles(boxes),
                wanted,
            )
        return judged

    def value(self, evidence: Array) -> float:
        return float(np.mean(average_precisions(evidence)))


def judge(boxes: Array, classes: Array, scores: Array, wanted_boxes: Array, wanted: Array) -> Judged:
    """Hold the answers of one picture against its true boxes: by class, surest first, each takes the true box that it
    lies on best of those that are still free, at every threshold for itself."""
    order = np.argsort(-scores, kind="stable")
    order = order[classes[order] >= 0]
    boxes, classes, scores = boxes[order], classes[order], scores[order]
    right = np.zeros((len(classes), len(THRESHOLDS)), dtype=bool)
    overlaps = iou(boxes, wanted_boxes)
    overlaps[classes[:, None] != wanted[None, :]] = -1.0
    if len(wanted):
        for column, threshold in enumerate(THRESHOLDS):
            free = overlaps.copy()
            for row in range(len(classes)):
                best = int(free[row].argmax())
                if free[row, best] >= min(threshold, 1 - 1e-10):
                    right[row, column] = True
                    free[:, best] = -1.0
    return Judged(classes, scores, right, wanted)


def average_precisions(evidence: Array) -> Array:
    """AP float64 [thresholds, classes] of the classes that some picture wants; NaN [1, 1] when none wants any."""
    if not len(evidence) or not (wanted := np.concatenate([each.wanted for each in evidence])).size:
        return np.full((1, 1), np.nan)
    classes = np.concatenate([each.classes for each in evidence])
    scores = np.concatenate([each.scores for each in evidence])
    right = np.concatenate([each.right for each in evidence])
    order = np.argsort(-scores, kind="stable")
    classes, right = classes[order], right[order]
    kinds, counts = np.unique(wanted, return_counts=True)
    return np.stack(
        [_average_precision(right[classes == kind], count) for kind, count in zip(kinds, counts, strict=True)], axis=1
    )


def _average_precision(right: Array, wanted: int) -> Array:
    """right bool [d, thresholds], surest first: AP [thresholds] by 101 recalls, precision the best at that recall or a
    higher one."""
    hits = right.cumsum(axis=0)
    if not len(hits):
        return np.zeros(right.shape[1])
    recall = hits / wanted
    precision = hits / np.arange(1, len(hits) + 1)[:, None]
    best = np.maximum.accumulate(precision[::-1], axis=0)[::-1]
    found = np.zeros(right.shape[1])
    for column in range(right.shape[1]):
        places = np.searchsorted(recall[:, column], RECALLS, side="left")
        found[column] = best[places[places < len(hits)], column].sum() / len(RECALLS)
    return found
