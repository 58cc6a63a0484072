"""A classifier of transformers behind the pixels as they come. Imported only where torch is wanted."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import nn

from modelyard.tasks.image_classification.preparation import Preparation

POSITIONS = "interpolate_pos_encoding"


class Classifier(nn.Module):
    """Pixels uint8 [n, 3, side, side] to logits [n, labels].

    A transformer that learned positions for pictures of another size has them interpolated.
    """

    factor: torch.Tensor
    offset: torch.Tensor

    def __init__(self, network: nn.Module, preparation: Preparation) -> None:
        super().__init__()
        self.network = network
        mean, std = (torch.tensor(values).reshape(1, 3, 1, 1) for values in (preparation.mean, preparation.std))
        self.register_buffer("factor", preparation.scale / std, persistent=False)
        self.register_buffer("offset", -mean / std, persistent=False)
        self.options = position_options(network, preparation.framing.image_size)

    def forward(self, pixels: torch.Tensor) -> torch.Tensor:
        values = pixels.to(torch.float32) * self.factor + self.offset
        logits: torch.Tensor = self.network(pixel_values=values, **self.options).logits
        return logits


def position_options(network: nn.Module, side: int) -> dict[str, Any]:
    """What a transformer is called with, whose positions were learned for pictures of another size; else nothing."""
    learned = getattr(network.config, "image_size", side)
    fits = learned in (side, [side, side], (side, side))
    return {} if fits or POSITIONS not in inspect.signature(network.forward).parameters else {POSITIONS: True}
