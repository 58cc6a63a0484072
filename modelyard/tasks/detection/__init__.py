"""Detection: one picture in, out of it the boxes of what lies on it, each with one class of a closed set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.tasks.detection.average_precision import MeanAveragePrecision
from modelyard.tasks.detection.pipeline import LABELS, DetectionPipeline
from modelyard.tasks.detection.select import BOXES, COUNT, MOST, SCORES
from modelyard.tasks.package_labels import package_labels
from modelyard.tasks.picture_request import INPUT
from modelyard.tasks.task import Signature, Task

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask


class Detection(Task):
    name = "detection"
    inputs = MappingProxyType({INPUT: "image"})
    target = "boxes"
    target_field = "boxes"
    metric = MeanAveragePrecision()
    agreement = "boxes"
    unit = "pixels"
    sized_by = "image_size"
    eager = "detector"
    baseline = "windows"
    least_classes = 1
    # A detector is trained from nothing: longer, and at a higher rate, than a text encoder is tuned.
    defaults = MappingProxyType(
        {
            "train": {
                "base": "detector-nano",
                "epochs": 40,
                "patience": 10,
                "batch_size": 16,
                "base_lr": 0.032,
                "max_norm": 10.0,
            },
            "export": {"max_item_bytes": 16 << 20},
        }
    )

    def classes_of(self, target: Any) -> list[str]:
        return [str(box["label"]) for box in target]

    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        """Boxes are x1, y1, x2, y2 in pixels of the picture that was sent; MOST places for each picture, of which the
        first `count` hold one, the surest first."""
        return Signature(
            inputs=((INPUT, "BYTES", (-1,)),),
            outputs=(
                (BOXES, "FP32", (-1, MOST, 4)),
                (SCORES, "FP32", (-1, MOST)),
                (LABELS, "BYTES", (-1, MOST)),
                (COUNT, "INT32", (-1,)),
            ),
        )

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> DetectionPipeline:
        return DetectionPipeline.open(folder, spec, package_labels(folder))

    def training(self, framework: str = "torch") -> TrainingTask:
        from modelyard.tasks.detection.training import DetectionTraining

        return DetectionTraining()


TASK = Detection()

__all__ = ["TASK", "Detection", "DetectionPipeline"]
