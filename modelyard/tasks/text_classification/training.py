"""The half of text classification that needs torch, behind the seam of modelyard.tasks.training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.tasks.task import Array, Tensors
from modelyard.tasks.text.directory import open_prepare
from modelyard.tasks.text.graph import describe, export_graph
from modelyard.tasks.text_classification.decode import LOGITS
from modelyard.tasks.text_classification.loss import cross_entropy
from modelyard.tasks.text_classification.metrics import accuracy, macro_f1
from modelyard.tasks.text_classification.model import forward, load_classifier, save_classifier
from modelyard.tasks.text_classification.pipeline import TextClassificationPipeline

if TYPE_CHECKING:
    import torch

GRAPH = "variants/float/model.onnx"
TOKENIZER = "pipeline/tokenizer.json"


class TextClassificationTraining:
    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        return load_classifier(Path(base), labels, options)

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> TextClassificationPipeline:
        prepare, _ = open_prepare(Path(base), max_length)
        return TextClassificationPipeline(prepare, labels)

    def targets(self, values: Sequence[str], labels: Sequence[str]) -> Array:
        index = {label: place for place, label in enumerate(labels)}
        unknown = sorted({value for value in values if value not in index})
        if unknown:
            raise BadInput(
                f"the class {unknown[0]!r} is not one of the model's: {', '.join(labels)}",
                next="train on data that has every class",
            )
        return np.fromiter((index[value] for value in values), dtype=np.int64, count=len(values))

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return forward(model, feeds)

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return cross_entropy(outputs[LOGITS], targets, float(options.get("label_smoothing", 0.0)))

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        predicted: Array = np.asarray(outputs[LOGITS].argmax(axis=-1))
        return {"accuracy": accuracy(predicted, targets), "macro_f1": macro_f1(predicted, targets, len(labels))}

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        save_classifier(model, Path(base), folder, "text_classification", labels, max_length)

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        import onnx

        from modelyard.store import Model

        labels = Model.open(model_folder).labels
        _, spec = open_prepare(model_folder, max_length)
        model = load_classifier(model_folder, labels, {"attention": "eager"})
        path = package_folder / GRAPH
        files = export_graph(model, spec["feeds"], path, LOGITS, forward)
        tokenizer = package_folder / TOKENIZER
        tokenizer.parent.mkdir(parents=True, exist_ok=True)
        tokenizer.write_bytes((model_folder / "tokenizer.json").read_bytes())
        return {
            "graphs": {
                "model": {"format": "onnx", "files": [(Path(GRAPH).parent / name).as_posix() for name in files]}
            },
            "pipeline": {"tokenizer": TOKENIZER, **spec},
            "tensor": describe(onnx.load(path, load_external_data=False)),
        }
