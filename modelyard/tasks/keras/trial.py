"""A user's function tried once, before data are read: what it builds can be trained, kept, and opened as the same."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

import torch

from modelyard.errors import BadInput
from modelyard.tasks.keras.classifier import KerasClassifier, checked
from modelyard.tasks.keras.model_file import FILE, open_keras, write_keras
from modelyard.tasks.keras.user_function import UserFunction

CLASSES = 3  # of the model that is built: how many the data have is not known yet
DIFFERENCE = 1e-5


def hold_builds(function: UserFunction) -> None:
    """Raises BadInput for a function that fails, or builds something else than a classifier that can be kept."""
    model = checked(function.build(function.input_shape, CLASSES), function.input_shape, CLASSES, function.name)
    with tempfile.TemporaryDirectory() as folder:
        write_keras(model.network, Path(folder) / FILE)
        opened = KerasClassifier(open_keras(Path(folder) / FILE))
    # Some functions of keras.ops are written by the name of another one, and come back as that.
    side = function.input_shape[0]
    pixels = torch.arange(2 * 3 * side * side).remainder(251).to(torch.uint8).reshape(2, 3, side, side)
    difference = float((_answer(model, pixels) - _answer(opened, pixels)).abs().max())
    if not difference <= DIFFERENCE:
        raise BadInput(
            f"the model of {function.name} comes back from its file as another one: their answers differ by "
            f"{difference:.2g}",
            where=function.file,
            next="name activations in words (activation='gelu'), or take them from keras.activations",
        )


def _answer(model: Any, pixels: torch.Tensor) -> torch.Tensor:
    answer: torch.Tensor
    with torch.no_grad():
        answer = model.eval()(pixels)
    return answer
