"""The half that needs torch: an encoder of transformers with one number behind it, and the squared error."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.text.directory import open_prepare
from modelyard.tasks.text.graph import export_text_graph
from modelyard.tasks.text.pretrained import open_pretrained, save_pretrained
from modelyard.tasks.text_classification.training import TextClassificationTraining

from . import CLOSE, FEWEST, MOST, OUTPUT, StarPipeline, StarRating

if TYPE_CHECKING:
    import torch

MIDDLE, SPREAD = (FEWEST + MOST) / 2, (MOST - FEWEST) / 2


class StarTraining(TextClassificationTraining):
    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        """transformers' own head for one number: `num_labels` 1."""
        return open_pretrained(
            "AutoModelForSequenceClassification", "a model of one number", Path(base), options, num_labels=1
        )

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> StarPipeline:
        prepare, _ = open_prepare(Path(base), max_length)
        return StarPipeline(prepare)

    def targets(self, values: Sequence[Any], labels: Sequence[str]) -> Array:
        return np.asarray(values, dtype=np.float32)

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """[n, 1]; a head that answers 0 stands for the middle of the scale, so that training starts there."""
        return {OUTPUT: MIDDLE + SPREAD * model(**feeds).logits}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """The sum of the squared errors, in spreads of the scale, and how many there are."""
        squared = ((outputs[OUTPUT][:, 0] - targets.float()) / SPREAD) ** 2
        return squared.sum(), squared.new_tensor(float(len(targets)))

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        error = np.abs(outputs[OUTPUT][:, 0] - targets)
        return {"within_half_a_star": float((error <= CLOSE).mean()), "mean_error": float(error.mean())}

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        save_pretrained(model, Path(base), folder, {"task": StarRating.name, "labels": [], "max_length": max_length})

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        model = self.load(str(model_folder), [], {"attention": "eager"})
        return export_text_graph(model, model_folder, package_folder, max_length, OUTPUT, self.forward)
