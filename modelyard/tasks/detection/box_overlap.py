"""Overlap of boxes with gradients: IoU of all pairs, and complete IoU of a pair. Boxes are x1, y1, x2, y2."""

from __future__ import annotations

import math

import torch

SMALLEST = 1e-7


def pairwise_iou(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """[n, a, 4] and [n, b, 4] to [n, a, b]."""
    return _iou(one[:, :, None], other[:, None, :])[0]


def complete_iou(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """[..., 4] and [..., 4] to [...]: IoU less the distance of the middles and the difference of the proportions.

    Source: Zheng et al., Distance-IoU loss, AAAI 2020 (arXiv:1911.08287).
    """
    overlap, union_low, union_high = _iou(one, other)
    diagonal = ((union_high - union_low) ** 2).sum(dim=-1) + SMALLEST
    apart = ((one[..., :2] + one[..., 2:] - other[..., :2] - other[..., 2:]) ** 2).sum(dim=-1) / 4
    mine, theirs = one[..., 2:] - one[..., :2], other[..., 2:] - other[..., :2]
    angle = torch.atan(mine[..., 0] / (mine[..., 1] + SMALLEST)) - torch.atan(
        theirs[..., 0] / (theirs[..., 1] + SMALLEST)
    )
    shape = 4 / math.pi**2 * angle**2
    with torch.no_grad():
        weight = shape / (1 - overlap + shape + SMALLEST)
    return overlap - apart / diagonal - weight * shape


def _iou(one: torch.Tensor, other: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """IoU, and the corners of the least box around both."""
    shared = (torch.minimum(one[..., 2:], other[..., 2:]) - torch.maximum(one[..., :2], other[..., :2])).clamp(min=0)
    inside = shared.prod(dim=-1)
    areas = [(box[..., 2:] - box[..., :2]).prod(dim=-1) for box in (one, other)]
    low, high = torch.minimum(one[..., :2], other[..., :2]), torch.maximum(one[..., 2:], other[..., 2:])
    return inside / (areas[0] + areas[1] - inside + SMALLEST), low, high
