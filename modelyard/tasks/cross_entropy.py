"""Cross entropy over one class of a closed set."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


def cross_entropy(
    logits: torch.Tensor, targets: torch.Tensor, label_smoothing: float = 0.0
) -> tuple[torch.Tensor, torch.Tensor]:
    """logits [n, labels], targets int64 [n]: the sum of the n losses, and n.

    A sum and its weight, not a mean: shares of a batch (micro batches, processes) then add up to the mean of the whole.
    label_smoothing: the share of the target that is spread over all classes (Szegedy et al. 2016).
    """
    from torch.nn import functional

    total = functional.cross_entropy(logits.float(), targets, reduction="sum", label_smoothing=label_smoothing)
    return total, total.new_tensor(float(len(targets)))
