"""Image classification: one picture in, one class of a closed set out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.tasks.image_classification.pipeline import ImageClassificationPipeline
from modelyard.tasks.metric import Accuracy
from modelyard.tasks.package_labels import package_labels
from modelyard.tasks.picture_request import INPUT
from modelyard.tasks.task import Signature, Task

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask


class ImageClassification(Task):
    name = "image_classification"
    inputs = MappingProxyType({INPUT: "image"})
    target = "label"
    target_field = "label"
    metric = Accuracy()
    unit = "pixels"
    sized_by = "image_size"
    eager = "picture_classifier"
    baseline = "pixels"
    frameworks = ("torch", "keras")
    # A small network is trained from nothing: longer, and at a higher rate, than a text encoder is tuned.
    defaults = MappingProxyType(
        {
            "train": {"base": "resnet", "epochs": 20, "patience": 6, "base_lr": 0.008},
            "export": {"max_item_bytes": 16 << 20},
        }
    )

    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        return Signature(
            inputs=((INPUT, "BYTES", (-1,)),),
            outputs=(("label", "BYTES", (-1,)), ("score", "FP32", (-1,)), ("scores", "FP32", (-1, len(labels)))),
        )

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> ImageClassificationPipeline:
        return ImageClassificationPipeline.open(folder, spec, package_labels(folder))

    def training(self, framework: str = "torch") -> TrainingTask:
        if framework == "keras":
            from modelyard.tasks.image_classification.keras_training import KerasImageClassificationTraining

            return KerasImageClassificationTraining()
        from modelyard.tasks.image_classification.training import ImageClassificationTraining

        return ImageClassificationTraining()


TASK = ImageClassification()

__all__ = ["TASK", "ImageClassification", "ImageClassificationPipeline"]
