"""The baseline of detectors: windows slid over the picture, histograms of gradients, logistic regression.

Source: Dalal and Triggs, "Histograms of Oriented Gradients for Human Detection", CVPR 2005; here with one classifier
for all classes and none, and no second round of hard negatives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.media.box_geometry import iou
from modelyard.media.named_boxes import rectangles
from modelyard.media.pixels import decode_image
from modelyard.stages.evaluate.baseline import Baseline
from modelyard.stages.evaluate.gradients import gradient_histograms, grey
from modelyard.tasks.detection.average_precision import MeanAveragePrecision
from modelyard.tasks.detection.select import CLASSES, select
from modelyard.tasks.pipeline import Array

SIDE, CELL = 24, 6  # of a window once scaled, of a cell in it
STEP = CELL  # between windows, in pixels of the scaled picture
AROUND = 1.15  # a window's side by the longer side of the box in it
SIZES = 4  # of windows, spread over those of the true boxes
PICTURES = 300  # of the train side that are given to learn from
EMPTY = 15  # windows without a box from each picture
APART = 0.3  # what they overlap a box by at most
STRENGTH = 1.0
NOTHING = ""


@dataclass(frozen=True)
class Windows:
    """The learned part. model: of sklearn; sides: of the windows, in pixels; shapes: [classes, 2], width and height of
    a box by the side of its window, in the order of `labels`."""

    model: Any
    sides: Sequence[float]
    labels: list[str]
    shapes: Array


def window_baseline(train: Examples, validation: Examples, test: Examples) -> Baseline | None:
    """Learn on the train side, answer the test rows. None where the train side has no box,
    or no window without one."""
    if not any(train.targets):
        return None
    learned = _learn([(_grey(train, row), boxes) for row, boxes in enumerate(train.targets)])
    if learned is None:
        return None
    parts = [_detect(_grey(test, row), learned) for row in range(len(test))]
    decoded = {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}
    metric = MeanAveragePrecision()
    return Baseline(
        metric.value(metric.evidence(decoded, test.targets)),
        f"windows of {len(learned.sides)} sizes, histograms of gradients, logistic regression, same split:"
        f" {len(train):,} train and {len(test):,} test rows",
    )


def _grey(examples: Examples, row: int) -> Array:
    """float32 [height, width], 0 to 255."""
    return grey(decode_image(next(iter(examples.items[row].values()))))


def _cut(picture: Array, boxes: Array) -> Array:
    """float32 [n, SIDE, SIDE]: the squares x, y, width, height, what lies outside the picture as its edge."""
    from PIL import Image

    pad = int(np.ceil(boxes[:, 2:].max(initial=1.0)))
    canvas = Image.fromarray(np.pad(picture, pad, mode="edge"))
    cut = [
        np.asarray(
            canvas.resize((SIDE, SIDE), Image.Resampling.BILINEAR, box=(x + pad, y + pad, x + w + pad, y + h + pad))
        )
        for x, y, w, h in _inside(boxes, picture.shape, pad)
    ]
    windows: Array = np.stack(cut) if cut else np.zeros((0, SIDE, SIDE), dtype=np.float32)
    return windows


def _inside(boxes: Array, shape: tuple[int, ...], pad: int) -> list[list[float]]:
    """Boxes moved so that they lie within the padded picture (a true box may reach over the edge by anything)."""
    height, width = shape
    moved = boxes.copy()
    moved[:, 0] = np.clip(boxes[:, 0], -pad, width + pad - boxes[:, 2])
    moved[:, 1] = np.clip(boxes[:, 1], -pad, height + pad - boxes[:, 3])
    rows: list[list[float]] = moved.tolist()
    return rows


def _learn(pictures: Sequence[tuple[Array, Sequence[Mapping[str, Any]]]]) -> Windows | None:
    from sklearn.linear_model import LogisticRegression

    generator = np.random.default_rng(0)
    every = np.concatenate([rectangles(boxes) for _, boxes in pictures])
    names = np.array([box["label"] for _, boxes in pictures for box in boxes], dtype=object)
    longer = every[:, 2:].max(axis=1) * AROUND
    sides = [float(side) for side in np.quantile(longer, (np.arange(SIZES) + 0.5) / SIZES)]
    features, wanted = [], []
    for picture, boxes in pictures:
        true = rectangles(boxes)
        empty = _empty(picture.shape, true, sides, generator)
        features.append(gradient_histograms(_cut(picture, np.concatenate([_squares(true), empty])), CELL))
        wanted += [box["label"] for box in boxes] + [NOTHING] * len(empty)
    if len(set(wanted)) < 2:
        return None
    labels = sorted(set(names))
    shapes = np.stack([(every[:, 2:] / longer[:, None])[names == label].mean(axis=0) for label in labels])
    model = LogisticRegression(C=STRENGTH, max_iter=300).fit(np.concatenate(features), wanted)
    return Windows(model, sides, labels, shapes)


def _squares(boxes: Array) -> Array:
    """The window around each box."""
    middle = boxes[:, :2] + boxes[:, 2:] / 2
    side = boxes[:, 2:].max(axis=1, keepdims=True) * AROUND
    squares: Array = np.concatenate([middle - side / 2, side, side], axis=1)
    return squares


def _empty(shape: tuple[int, ...], true: Array, sides: Sequence[float], generator: np.random.Generator) -> Array:
    """Windows that hold no box, EMPTY tries."""
    height, width = shape
    side = generator.choice(sides, EMPTY)
    places = [generator.uniform(0, np.maximum(1.0, size - side)) for size in (width, height)]
    squares = np.stack([*places, side, side], axis=1)
    alone: Array = squares[iou(squares, true).max(axis=1, initial=0.0) <= APART]
    return alone


def _detect(picture: Array, learned: Windows) -> dict[str, Array]:
    """What DetectionPipeline.decode answers, of one picture."""
    from numpy.lib.stride_tricks import sliding_window_view
    from PIL import Image

    height, width = picture.shape
    squares, features = [], []
    for side in learned.sides:
        scale = SIDE / side
        size = (max(SIDE, round(width * scale)), max(SIDE, round(height * scale)))
        scaled = np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BILINEAR))
        views = sliding_window_view(scaled, (SIDE, SIDE))[::STEP, ::STEP]
        rows, columns = np.meshgrid(*(np.arange(count) * STEP / scale for count in views.shape[:2]), indexing="ij")
        squares.append(np.stack([columns.ravel(), rows.ravel(), np.full(rows.size, side)], axis=1))
        features.append(gradient_histograms(views.reshape(-1, SIDE, SIDE), CELL))
    windows = np.concatenate(squares)
    told = learned.model.predict_proba(np.concatenate(features))
    scores = told[:, [list(learned.model.classes_).index(label) for label in learned.labels]]
    # The box of a window has the shape of its likeliest class.
    shape = learned.shapes[scores.argmax(axis=1)] * windows[:, 2:]
    middle = windows[:, :2] + windows[:, 2:] / 2
    corners = np.concatenate([middle - shape / 2, middle + shape / 2], axis=1)
    corners = np.clip(corners, 0.0, [width, height, width, height])
    chosen = select(corners[None].astype(np.float32), scores[None].astype(np.float32))
    return {**chosen, "labels": np.array(learned.labels, dtype=object)[chosen[CLASSES]]}
