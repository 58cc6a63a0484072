"""Which cells answer for which true box: those within it that get its class and its place right best.

Source: task-aligned assignment, Feng et al., TOOD, ICCV 2021 (arXiv:2108.07755).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch

from modelyard.tasks.detection.box_overlap import pairwise_iou

CELLS = 10  # for each true box
SCORE_POWER, OVERLAP_POWER = 0.5, 6.0
SMALLEST = 1e-9


@dataclass(frozen=True)
class Assigned:
    """For each cell of each picture: chosen bool [n, N], boxes [n, N, 4], scores [n, N, C] that it should answer."""

    chosen: torch.Tensor
    boxes: torch.Tensor
    scores: torch.Tensor


def assign(
    boxes: torch.Tensor, scores: torch.Tensor, points: torch.Tensor, wanted: torch.Tensor, classes: torch.Tensor
) -> Assigned:
    """boxes [n, N, 4] and scores [n, N, C] as answered, points [N, 3] of the cells, wanted [n, M, 4] true boxes,
    classes int64 [n, M], -1 where there is no box. All boxes x1, y1, x2, y2.

    A cell that two boxes want goes to the one that it overlaps more. The score that a cell should answer is its
    alignment, scaled so that the best cell of a box should answer the overlap that it reaches.
    """
    n, cells = scores.shape[:2]
    there = classes >= 0
    if not there.any():
        nothing = torch.zeros((n, cells), dtype=torch.bool, device=boxes.device)
        return Assigned(nothing, torch.zeros_like(boxes), torch.zeros_like(scores))
    number = classes.clamp(min=0)
    overlaps = pairwise_iou(wanted, boxes)  # [n, M, N]
    told = scores.transpose(1, 2).gather(1, number[:, :, None].expand(-1, -1, cells))
    x, y = points[:, 0], points[:, 1]
    inside = (x > wanted[..., :1]) & (y > wanted[..., 1:2]) & (x < wanted[..., 2:3]) & (y < wanted[..., 3:])
    able = inside & there[:, :, None]
    aligned = torch.where(able, told**SCORE_POWER * overlaps**OVERLAP_POWER, torch.zeros_like(overlaps))
    best = aligned.topk(min(CELLS, cells), dim=2)
    taken = torch.zeros_like(able).scatter_(2, best.indices, best.values > SMALLEST) & able
    # A box whose cells all answer nonsense still has its middle: the cell within it that lies nearest.
    distance = (x - (wanted[..., :1] + wanted[..., 2:3]) / 2) ** 2 + (y - (wanted[..., 1:2] + wanted[..., 3:]) / 2) ** 2
    nearest = distance.argmin(dim=2, keepdim=True)
    lonely = there & ~taken.any(dim=2)
    taken |= torch.zeros_like(taken).scatter_(2, nearest, lonely[:, :, None])
    owner = torch.where(taken, overlaps + SMALLEST, torch.full_like(overlaps, -1.0)).argmax(dim=1)  # [n, N]
    chosen = taken.any(dim=1)
    own = taken & (torch.arange(wanted.shape[1], device=boxes.device)[None, :, None] == owner[:, None, :])
    aligned = torch.where(own, aligned, torch.zeros_like(aligned))
    reached = torch.where(own, overlaps, torch.zeros_like(overlaps)).amax(dim=2, keepdim=True)
    strength = (aligned / aligned.amax(dim=2, keepdim=True).clamp(min=SMALLEST) * reached).amax(dim=1)  # [n, N]
    kind = number.gather(1, owner)
    should = torch.zeros_like(scores).scatter_(2, kind[..., None], (strength * chosen)[..., None])
    return Assigned(chosen, wanted.gather(1, owner[..., None].expand(-1, -1, 4)), should)
