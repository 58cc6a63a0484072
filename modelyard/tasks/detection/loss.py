"""The loss of a detector: cross entropy of every cell's scores, complete IoU of the cells that answer for a box."""

from __future__ import annotations

import torch
from torch.nn import functional

from modelyard.tasks.detection.assignment import assign
from modelyard.tasks.detection.box_overlap import complete_iou

CLASS_WEIGHT, BOX_WEIGHT = 0.5, 7.5  # as YOLOv8 weighs them


def detection_loss(
    boxes: torch.Tensor, logits: torch.Tensor, points: torch.Tensor, wanted: torch.Tensor, classes: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """The sum over all cells of a batch, and its weight: the sum of the scores that should be answered, at least 1 (a
    batch of empty pictures still has a loss). Shapes as `assign` has them."""
    with torch.no_grad():
        should = assign(boxes.detach(), logits.detach().sigmoid(), points, wanted, classes)
        weight = should.scores.sum().clamp(min=1.0)
    score_loss = functional.binary_cross_entropy_with_logits(logits, should.scores, reduction="sum")
    strength = should.scores.sum(dim=2)[should.chosen]
    box_loss = ((1 - complete_iou(boxes[should.chosen], should.boxes[should.chosen])) * strength).sum()
    return CLASS_WEIGHT * score_loss + BOX_WEIGHT * box_loss, weight
