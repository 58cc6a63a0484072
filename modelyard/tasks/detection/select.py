"""Which of all boxes are answered: those that are sure enough, and no second one of the same thing.

In NumPy, for models without these steps in their graph, and beside the graph's own for parity. `graph.py` writes the
same in ONNX.
"""

from __future__ import annotations

import numpy as np

from modelyard.media.box_geometry import iou, size_form
from modelyard.tasks.pipeline import Array, Tensors

MOST = 100  # answered for a picture
SCORE = 0.05  # what a box needs more than
OVERLAP = 0.6  # intersection over union with a surer box of its class, from beyond which it says nothing new

BOXES, SCORES, CLASSES, COUNT = "boxes", "scores", "classes", "count"
CHOSEN = frozenset({BOXES, SCORES, CLASSES, COUNT})


def select(raw_boxes: Array, raw_scores: Array) -> Tensors:
    """raw_boxes float32 [n, N, 4] of x1, y1, x2, y2, raw_scores float32 [n, N, C] to `boxes` [n, K, 4], `scores`
    [n, K], `classes` int64 [n, K], `count` int32 [n]: K = MOST places, surest first, zeros behind the last."""
    n = len(raw_boxes)
    answered: Tensors = {
        BOXES: np.zeros((n, MOST, 4), dtype=np.float32),
        SCORES: np.zeros((n, MOST), dtype=np.float32),
        CLASSES: np.zeros((n, MOST), dtype=np.int64),
        COUNT: np.zeros(n, dtype=np.int32),
    }
    for row in range(n):
        places, classes = _kept(raw_boxes[row], raw_scores[row])
        count = len(places)
        answered[BOXES][row, :count] = raw_boxes[row, places]
        answered[SCORES][row, :count] = raw_scores[row, places, classes]
        answered[CLASSES][row, :count] = classes
        answered[COUNT][row] = count
    return answered


def _kept(boxes: Array, scores: Array) -> tuple[Array, Array]:
    """Places and classes of the boxes of one picture that are answered, surest first."""
    found: list[tuple[float, int, int]] = []
    for kind in range(scores.shape[1]):
        places = np.flatnonzero(scores[:, kind] > SCORE)
        order = places[np.argsort(-scores[places, kind], kind="stable")]
        found += [(float(scores[place, kind]), kind, int(place)) for place in suppressed(boxes[order], order)[:MOST]]
    found.sort(key=lambda each: (-each[0], each[1], each[2]))
    chosen = np.array([each[1:] for each in found[:MOST]], dtype=np.int64).reshape(-1, 2)
    return chosen[:, 1], chosen[:, 0]


def suppressed(boxes: Array, places: Array) -> Array:
    """Those of `places` whose box [m, 4], surest first, overlaps no surer one that is kept by more than OVERLAP."""
    left = np.arange(len(boxes))
    kept: list[int] = []
    sides = size_form(boxes.astype(np.float64))
    while len(left):
        kept.append(int(left[0]))
        if len(kept) == MOST:
            break
        left = left[1:][iou(sides[left[:1]], sides[left[1:]])[0] <= OVERLAP]
    return places[kept]
