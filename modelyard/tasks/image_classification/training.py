"""The half of image classification that needs torch, behind the seam of modelyard.tasks.training: models of
transformers."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput
from modelyard.media.framing import Framing
from modelyard.store.artifacts import Model
from modelyard.tasks.class_scores import LOGITS
from modelyard.tasks.classes import class_figures, class_places
from modelyard.tasks.cross_entropy import cross_entropy
from modelyard.tasks.hugging_face import open_model, save_model
from modelyard.tasks.image_classification.pipeline import PIXELS, ImageClassificationPipeline
from modelyard.tasks.image_classification.preparation import FILE, preprocessor_config, read_preparation
from modelyard.tasks.image_classification.recipes import RECIPES
from modelyard.tasks.onnx_graph import GRAPH, describe, traced, write_graph
from modelyard.tasks.pipeline import Array, Tensors

if TYPE_CHECKING:
    import torch

CHANNELS = 3


class ImageClassificationTraining:
    """max_length: the side that pictures are brought to, in pixels; 0: that of the directory."""

    recipes = RECIPES
    base_files: tuple[str, ...] = ()

    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        """AutoModelForImageClassification with a head for the labels, behind the scale that its pixels need."""
        import torch

        from modelyard.tasks.image_classification.network import Classifier

        folder = Path(base)
        network = open_model(
            "AutoModelForImageClassification",
            "an image classifier",
            folder,
            options,
            id2label=dict(enumerate(labels)),
            label2id={label: index for index, label in enumerate(labels)},
        )
        if (channels := getattr(network.config, "num_channels", CHANNELS)) != CHANNELS:
            raise BadInput(
                f"the model takes pictures of num_channels {channels}: here they have {CHANNELS}, red, green, blue",
                where=str(folder / "config.json"),
                next="give a model of colour pictures; grey ones are read as such too",
            )
        classifier = Classifier(network, read_preparation(folder, int(options.get("image_size") or 0)))
        # Convolutions of this layout are the faster ones on a CPU.
        return classifier.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> ImageClassificationPipeline:
        return ImageClassificationPipeline(read_preparation(Path(base), max_length).framing, labels)

    def targets(self, values: Sequence[Any], labels: Sequence[str]) -> Array:
        return class_places(values, labels)

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {LOGITS: model(feeds[PIXELS])}

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        return cross_entropy(outputs[LOGITS], targets, float(options.get("label_smoothing", 0.0)))

    def judged(self, outputs: Tensors) -> Tensors:
        return outputs

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        return class_figures(outputs[LOGITS], targets, len(labels))

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        """A Model that AutoModelForImageClassification and AutoImageProcessor open."""
        save_model(model.network, folder, {"task": "image_classification", "labels": list(labels)})  # type: ignore[arg-type]
        content = preprocessor_config(read_preparation(Path(base), max_length))
        (folder / FILE).write_text(json.dumps(content, indent=2, sort_keys=True) + "\n")

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        model = self.load(str(model_folder), Model.open(model_folder).labels, {"attention": "eager"})
        return export_pixels(model, read_preparation(model_folder).framing, package_folder)


def export_pixels(model: torch.nn.Module, framing: Framing, package_folder: Path) -> dict[str, Any]:
    """What TrainingTask.export answers: one graph from the pixels as they come to the logits."""
    import torch

    side = framing.image_size
    sample = torch.zeros((2, 3, side, side), dtype=torch.uint8)  # batch 1 might be written into the graph
    proto = traced(model, [sample], [PIXELS], [LOGITS], ({0: torch.export.Dim("batch")},))
    weights = sum(parameter.nbytes for parameter in model.parameters())
    files = write_graph(proto, package_folder / GRAPH, weights)
    return {
        "graphs": {"model": {"format": "onnx", "files": [f"{Path(GRAPH).parent.as_posix()}/{name}" for name in files]}},
        "pipeline": framing.as_json(),
        "tensor": describe(proto),
    }
