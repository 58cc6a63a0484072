"""prepare -> model -> decode for one picture, the boxes on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from modelyard.errors import BadInput, Fault
from modelyard.media.letterbox import letterbox
from modelyard.media.pixels import hold_pillow
from modelyard.tasks.detection.select import BOXES, CLASSES, COUNT, SCORES, select
from modelyard.tasks.picture_request import read_picture
from modelyard.tasks.pipeline import Array, Graph, Pipeline, Prepared, Tensors

PIXELS, FRAME = "pixels", "frame"
RAW_BOXES, RAW_SCORES = "raw_boxes", "raw_scores"
LABELS = "labels"


class DetectionPipeline(Pipeline):
    """The one pipeline of training, export, evaluation and the server.

    Beside the square `pixels` each picture has its `frame` (see media.letterbox), which no graph takes: `run` hands it
    on, so that `decode` can answer in pixels of the picture as it was sent.
    """

    def __init__(self, image_size: int, labels: Sequence[str]) -> None:
        """Raises EnvironmentProblem where pictures cannot be read: at once, not at the first of them."""
        hold_pillow()
        self._side = image_size
        self._labels = np.array([*labels], dtype=object)

    @classmethod
    def open(cls, folder: Path, spec: Mapping[str, Any], labels: Sequence[str]) -> Self:
        """spec: {"image_size"}. Raises BadInput when it is not complete."""
        try:
            return cls(int(spec["image_size"]), labels)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"the pipeline of this package is not complete: {error}", where=str(folder)) from None

    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        """Raises BadInput for what is no picture."""
        pixels, frame = letterbox(read_picture(item), self._side)
        return Prepared({PIXELS: pixels, FRAME: frame}, size=self._side * self._side)

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        """pixels uint8 [n, 3, side, side], frame float32 [n, 4]."""
        return {name: np.stack([item.features[name] for item in items]) for name in items[0].features}

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        """The graph's outputs, in pixels of the square, and `frame`. What a model without selection leaves to do is
        done here."""
        answered = graphs["model"].run(feeds)
        outputs: Tensors = {RAW_BOXES: answered[RAW_BOXES], RAW_SCORES: answered[RAW_SCORES]}
        if BOXES in answered:
            outputs |= {name: answered[name] for name in (BOXES, SCORES, CLASSES, COUNT)}
        else:
            outputs |= select(outputs[RAW_BOXES], outputs[RAW_SCORES])
        if FRAME in feeds:
            outputs[FRAME] = feeds[FRAME]
        return outputs

    def decode(self, outputs: Tensors) -> Tensors:
        """boxes float32 [n, K, 4] of x1, y1, x2, y2 in pixels of the picture, scores [n, K], labels (object array of
        str, empty where there is no box) [n, K], count int32 [n]."""
        scores, classes = outputs[SCORES], outputs[CLASSES]
        known = outputs[RAW_SCORES].shape[-1]
        if known != len(self._labels):
            raise Fault(f"the graph knows {known} classes, there are {len(self._labels)} labels")
        labels = self._labels[classes]
        labels[scores <= 0] = ""
        return {
            BOXES: in_picture(outputs[BOXES], outputs[FRAME]),
            SCORES: scores,
            LABELS: labels,
            COUNT: outputs[COUNT].astype(np.int32),
        }


def in_picture(boxes: Array, frame: Array) -> Array:
    """Boxes [n, K, 4] in pixels of the square to pixels of each picture, cut off at its edges. frame: [n, 4]."""
    scales, sizes = np.tile(frame[:, None, :2], 2), np.tile(frame[:, None, 2:], 2)
    cut: Array = np.clip(boxes / scales, 0.0, sizes).astype(np.float32)
    return cut
