"""The half of text classification that needs torch, behind the seam of modelyard.tasks.training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.store import Model
from modelyard.tasks.class_scores import LOGITS
from modelyard.tasks.classes import class_figures, class_places
from modelyard.tasks.cross_entropy import cross_entropy
from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.text.directory import open_prepare
from modelyard.tasks.text.graph import export_text_graph
from modelyard.tasks.text_classification.model import forward, load_classifier, save_classifier
from modelyard.tasks.text_classification.pipeline import TextClassificationPipeline

if TYPE_CHECKING:
    import torch


class TextClassificationTraining:
    recipes: Mapping[str, Mapping[str, Any]] = MappingProxyType({})
    base_files: tuple[str, ...] = ("tokenizer.json",)

    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        return load_classifier(Path(base), labels, options)

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> TextClassificationPipeline:
        prepare, _ = open_prepare(Path(base), max_length)
        return TextClassificationPipeline(prepare, labels)

    def targets(self, values: Sequence[str], labels: Sequence[str]) -> Array:
        return class_places(values, labels)

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return forward(model, feeds)

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return cross_entropy(outputs[LOGITS], targets, float(options.get("label_smoothing", 0.0)))

    def judged(self, outputs: Tensors) -> Tensors:
        return outputs

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        return class_figures(outputs[LOGITS], targets, len(labels))

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        save_classifier(model, Path(base), folder, "text_classification", labels, max_length)

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        labels = Model.open(model_folder).labels
        model = load_classifier(model_folder, labels, {"attention": "eager"})
        return export_text_graph(model, model_folder, package_folder, max_length, LOGITS, forward)
