"""Text classification: one text in, one class of a closed set out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.tasks.metric import Accuracy
from modelyard.tasks.package_labels import package_labels
from modelyard.tasks.task import Signature, Task
from modelyard.tasks.text_classification.pipeline import TextClassificationPipeline

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask


class TextClassification(Task):
    name = "text_classification"
    inputs = MappingProxyType({"text": "text"})
    target = "label"
    target_field = "label"
    metric = Accuracy()
    eager = "classifier"

    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        return Signature(
            inputs=(("text", "BYTES", (-1,)),),
            outputs=(("label", "BYTES", (-1,)), ("score", "FP32", (-1,)), ("scores", "FP32", (-1, len(labels)))),
        )

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> TextClassificationPipeline:
        return TextClassificationPipeline.open(folder, spec, package_labels(folder))

    def training(self, framework: str = "torch") -> TrainingTask:
        from modelyard.tasks.text_classification.training import TextClassificationTraining

        return TextClassificationTraining()


TASK = TextClassification()

__all__ = ["TASK", "TextClassification", "TextClassificationPipeline"]
