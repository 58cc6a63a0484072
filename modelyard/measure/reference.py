"""The float reference: the model in PyTorch, in eval mode, fed by the same pipeline as the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from modelyard.tasks.pipeline import Array, Tensors

if TYPE_CHECKING:
    import torch

    from modelyard.tasks.training import TrainingTask


class Reference:
    """Answers feeds with raw outputs, as an open graph does."""

    def __init__(self, training: TrainingTask, model: torch.nn.Module) -> None:
        # A model left in training mode would answer with dropout, and no two times alike.
        self._model = model.eval()
        self._training = training

    def run(self, feeds: Mapping[str, Array]) -> Tensors:
        import torch

        with torch.inference_mode():
            outputs = self._training.forward(
                self._model, {name: torch.from_numpy(array) for name, array in feeds.items()}
            )
        return {name: values.numpy() for name, values in outputs.items()}
