"""The learning rate: scaled from batch 256, warmed up linearly, then lowered along a cosine."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

Scaling = Literal["linear", "sqrt", "none"]

# The batch that a task's base_lr is stated at.
REFERENCE_BATCH = 256


def scaled_rate(base_lr: float, batch_size: int, scaling: Scaling) -> float:
    """The peak rate for a batch: linear (Goyal et al. 2017, https://arxiv.org/abs/1706.02677) base_lr x batch/256,
    `sqrt` (Krizhevsky 2014, https://arxiv.org/abs/1404.5997) base_lr x sqrt(batch/256), or base_lr as it is."""
    ratio = batch_size / REFERENCE_BATCH
    return base_lr * {"linear": ratio, "sqrt": math.sqrt(ratio), "none": 1.0}[scaling]


@dataclass(frozen=True)
class WarmupCosine:
    """Linear warm-up over `warmup` steps, then half a cosine to 0 (Loshchilov & Hutter 2017, arXiv:1608.03983)."""

    peak: float
    warmup: int
    total: int

    def rate(self, step: int) -> float:
        """The rate of step 0, 1, ...: the first warm-up step is not 0, the first after warm-up is the peak."""
        if step < self.warmup:
            return self.peak * (step + 1) / (self.warmup + 1)
        share = (step - self.warmup) / max(1, self.total - self.warmup)
        return self.peak * 0.5 * (1 + math.cos(math.pi * min(1.0, share)))
