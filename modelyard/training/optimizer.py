"""AdamW with decay on weight matrices only, and one pass over the gradients for averaging and clipping."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def parameter_groups(model: torch.nn.Module, weight_decay: float) -> list[dict[str, Any]]:
    """Two groups: what decays, and what does not: biases and the gains of norms, all of one axis."""
    trained = [parameter for parameter in model.parameters() if parameter.requires_grad]
    return [
        {"params": [parameter for parameter in trained if parameter.ndim > 1], "weight_decay": weight_decay},
        {"params": [parameter for parameter in trained if parameter.ndim <= 1], "weight_decay": 0.0},
    ]


def adamw(model: torch.nn.Module, weight_decay: float) -> torch.optim.AdamW:
    """AdamW (Loshchilov & Hutter 2019), fused; the rate is set before every step."""
    import torch

    return torch.optim.AdamW(parameter_groups(model, weight_decay), lr=0.0, betas=(0.9, 0.999), eps=1e-8, fused=True)


def average_and_clip(parameters: Iterable[torch.nn.Parameter], weight: float, max_norm: float) -> float:
    """Turn gradients of a summed loss into those of its mean, their norm at most `max_norm`; answers the norm before.

    The weight is that of all micro batches (and processes) together: a mean of means would count short ones twice.
    """
    import torch

    gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
    norm = float(torch.nn.utils.get_total_norm(gradients)) / weight
    factor = min(1.0, max_norm / (norm + 1e-6)) / weight
    torch._foreach_mul_(gradients, factor)
    return norm
