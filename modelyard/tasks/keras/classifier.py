"""A Keras classifier of pictures as a module that takes pixels as the task has them, once it was checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import nn

from modelyard.errors import BadInput
from modelyard.tasks.keras.backend import import_keras

# Of a grey picture, as Pillow's convert("L") weighs them (ITU-R BT.601).
GREY = (0.299, 0.587, 0.114)
# After which numbers are no logits any more.
ACTIVATIONS = frozenset({"softmax", "sigmoid", "hard_sigmoid", "tanh", "relu", "relu6", "softplus", "softsign"})


class KerasClassifier(nn.Module):
    """Pixels uint8 [n, 3, side, side] to logits [n, classes], by a model that takes them as Keras has pictures: [n,
    side, side, channels], 0 to 255, of the type of its input."""

    grey: torch.Tensor

    def __init__(self, network: Any) -> None:
        super().__init__()
        self.network = network
        self.channels = int(network.input_shape[-1])
        self.kind = getattr(torch, network.inputs[0].dtype)
        self.register_buffer("grey", torch.tensor(GREY).reshape(1, 3, 1, 1), persistent=False)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        if self.channels == 1:
            pixels = (pixels.to(torch.float32) * self.grey).sum(dim=1, keepdim=True)
        # Said outright: Keras does not look at the flag that train() and eval() set.
        logits: torch.Tensor = self.network(pixels.permute(0, 2, 3, 1).to(self.kind), training=self.training)
        return logits

    @property
    def penalty(self) -> torch.Tensor | None:
        """What regularizers and losses of layers add to the loss, of the last pictures; None without such."""
        losses: list[torch.Tensor] = self.network.losses
        return torch.stack([loss.reshape(()) for loss in losses]).sum() if losses else None

    def state_dict(self, *args: Any, **kwargs: Any) -> dict[str, torch.Tensor]:  # type: ignore[override]
        """Every variable once: weights, moving statistics, states of seeds. Keras registers them in several places."""
        return {f"{place}:{each.path}": each.value for place, each in enumerate(self.network.variables)}

    def load_state_dict(self, state_dict: Mapping[str, Any], *args: Any, **kwargs: Any) -> Any:
        """In place: an optimizer knows the tensors."""
        with torch.no_grad():
            for name, value in self.state_dict().items():
                value.copy_(state_dict[name])


def checked(network: Any, input_shape: tuple[int, int, int], classes: int, name: str) -> KerasClassifier:
    """What a user's function answered, called once with two black pictures, whereby it is built.

    name: of the function or file, for errors. Raises BadInput for what is no classifier of so many classes.
    """
    keras = import_keras()
    if not isinstance(network, keras.Model):
        raise BadInput(f"{name} answers {_shown(network)}, not a keras.Model", next="end it with `return model`")
    if network.compiled:
        raise BadInput(
            f"{name} compiles its model, and training would not do as that says",
            next="take model.compile(...) out: loss, optimizer and schedule are those of the block `train`",
        )
    sample = torch.zeros((2, *input_shape))
    try:
        with torch.no_grad():
            answer = network(sample, training=False)
    except Exception as error:  # whatever layers raise that do not fit together
        raise BadInput(
            f"the model of {name} does not take pictures of {_size(input_shape)}: {' '.join(str(error).split())[:500]}",
            next="begin it with keras.Input(input_shape)",
        ) from error
    if type(network).__module__.split(".")[0] != keras.__name__:
        raise BadInput(
            f"the model of {name} is of the class {type(network).__name__}: its file could not be opened without the "
            "code of it",
            next="compose it: keras.Sequential([...]), or keras.Model(inputs, outputs)",
        )
    _hold_logits(network, answer, classes, name)
    if not network.trainable_variables:
        raise BadInput(f"nothing of the model of {name} can be trained", next="set trainable = True of its layers")
    if not isinstance(network.input_shape, tuple) or len(network.inputs) != 1:
        raise BadInput(f"the model of {name} has {len(network.inputs)} inputs", next="give it one: the picture")
    return KerasClassifier(network)


def _hold_logits(network: Any, answer: Any, classes: int, name: str) -> None:
    """Raises BadInput for another shape than [2, classes], and for scores in place of logits."""
    shape = list(answer.shape) if isinstance(answer, torch.Tensor) else None
    if shape != [2, classes]:
        raise BadInput(
            f"the model of {name} answers {f'numbers of shape {shape}' if shape else _shown(answer)} to two pictures, "
            f"there are {classes} classes",
            next="end it with keras.layers.Dense(classes), of the parameter `classes`",
        )
    ending = _ending(network)
    shares = bool(((answer >= 0).all() and (answer.sum(dim=1) - 1).abs().max() < 1e-4).item())
    if ending or shares:
        said = ending or "softmax"
        raise BadInput(
            f"the model of {name} ends with {said}: the loss and the served model make shares of what it answers, "
            "and would do so twice",
            next=f"take the {said} out, and end with keras.layers.Dense(classes)",
        )
    if answer.dtype != torch.float32:
        raise BadInput(
            f"the model of {name} answers {str(answer.dtype).removeprefix('torch.')}, not float32",
            next="leave the dtype policy of Keras as it is",
        )


def _ending(network: Any) -> str:
    """The activation that a model ends with, as a layer, as a part of one, or as a function; empty where it is none."""
    last = getattr(network, "operations", network.layers)[-1]
    named = getattr(getattr(last, "activation", None), "__name__", type(last).__name__.lower())
    return str(named) if named in ACTIVATIONS else ""


def _shown(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _size(shape: tuple[int, int, int]) -> str:
    return f"{shape[0]} x {shape[1]} pixels and {shape[2]} {'channel' if shape[2] == 1 else 'channels'}"
