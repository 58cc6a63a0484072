"""Image classification by models of Keras, behind the same seam as those of transformers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadConfig, BadInput
from modelyard.media.framing import Framing
from modelyard.store.artifacts import Model, write_index
from modelyard.tasks.class_scores import LOGITS
from modelyard.tasks.image_classification.pipeline import PIXELS, ImageClassificationPipeline
from modelyard.tasks.image_classification.training import ImageClassificationTraining, export_pixels
from modelyard.tasks.keras.model_file import FILE, input_shape_of, open_keras, write_keras
from modelyard.tasks.keras.user_function import CHANNELS, INDEX, UserFunction

if TYPE_CHECKING:
    import torch

PENALTY = "penalty"


class KerasImageClassificationTraining(ImageClassificationTraining):
    """A base is a directory with a function of the user's, or with a `.keras` file."""

    recipes: Mapping[str, Mapping[str, Any]] = MappingProxyType({})

    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        """What the function builds for so many classes, or the model of the file."""
        from modelyard.tasks.keras.classifier import checked

        if options.get("dropout") is not None:
            raise BadConfig(
                "train.dropout is not put into a Keras model",
                where="train.dropout",
                next="take the line out, and set it in your function: keras.layers.Dropout(0.1)",
            )
        folder = Path(base)
        shape = _input_shape(folder, int(options.get("image_size") or 0))
        function = _function_of(folder)
        if function is not None:
            return checked(function.build(shape, len(labels)), shape, len(labels), function.name)
        return checked(open_keras(folder / FILE), shape, len(labels), FILE)

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> ImageClassificationPipeline:
        return ImageClassificationPipeline(Framing(_input_shape(Path(base), max_length)[0]), labels)

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """Logits; and for the loss, while training, what regularizers of the model add to it."""
        outputs = {LOGITS: model(feeds[PIXELS])}
        penalty = model.penalty if model.training else None
        return outputs if penalty is None else {**outputs, PENALTY: penalty}  # type: ignore[dict-item]

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        total, weight = super().loss(outputs, targets, options)
        return (total + outputs[PENALTY] * weight if PENALTY in outputs else total), weight

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        """A Model that keras.saving.load_model opens."""
        network: Any = model.network
        write_keras(network, folder / FILE)
        index = {"format": 1, "task": "image_classification", "framework": "keras", "loader": "keras"}
        write_index(Model, folder, {**index, "architecture": type(network).__name__, "labels": list(labels)})

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        model = self.load(str(model_folder), Model.open(model_folder).labels, {})
        return export_pixels(model, Framing(_input_shape(model_folder, 0)[0]), package_folder)


def _function_of(folder: Path) -> UserFunction | None:
    """The function that the base is; None where it is a model: code that lies beside a model is not run."""
    model = any((folder / name).exists() for name in (FILE, Model.index))
    return None if model or not (folder / INDEX).is_file() else UserFunction.open(folder)


def _input_shape(folder: Path, image_size: int) -> tuple[int, int, int]:
    """What pictures the model takes, or is to be built for; image_size: 0 for what it says itself.

    Raises BadConfig for a model that is there already and takes others, BadInput where these are no squares."""
    function = _function_of(folder)
    if function is not None:
        shape = function.input_shape
        return (image_size, image_size, shape[2]) if image_size else shape
    shape = input_shape_of(folder / FILE)
    if shape[0] != shape[1] or shape[2] not in CHANNELS:
        raise BadInput(
            f"the Keras model takes pictures of the shape {shape}: they are made squares of 3 channels, or of 1 for "
            "grey",
            where=str(folder / FILE),
            next="build one for such pictures: train.base: model.py:build_model",
        )
    if image_size not in (0, shape[0]):
        raise BadConfig(
            f"the Keras model takes pictures of {shape[0]} pixels, not {image_size}",
            where="train.image_size",
            next="take the line out, or build a new model: train.base: model.py:build_model",
        )
    return shape
