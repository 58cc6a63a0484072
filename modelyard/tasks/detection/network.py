"""An anchor-free detector of the YOLO kind: residual backbone, features mixed top down and bottom up, and at strides 8,
16 and 32 two heads, one for the class and one for the box. Plain PyTorch; imported only where torch is wanted.

Sources: decoupled heads and one point a cell as in YOLOX (Ge et al. 2021, arXiv:2107.08430) and FCOS (Tian et al.
2019); top-down and bottom-up paths as in PANet (Liu et al. 2018). ReLU, so that eight-bit kernels take whole layers.
"""

from __future__ import annotations

import itertools
import math

import torch
from torch import nn
from torch.nn import functional

from modelyard.tasks.detection.recipes import STRIDES, Detector

# What a score is at the start of training: few cells hold anything (Lin et al. 2017, focal loss, section 4.1).
PRIOR = 0.01


def convolution(inside: int, outside: int, kernel: int = 3, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inside, outside, kernel, stride, kernel // 2, bias=False),
        nn.BatchNorm2d(outside, eps=1e-3, momentum=0.03),
        nn.ReLU(inplace=True),
    )


class Residual(nn.Module):
    """Two convolutions beside a way around them."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(convolution(channels, channels), convolution(channels, channels))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        changed: torch.Tensor = x + self.body(x)
        return changed


class Head(nn.Module):
    """A convolution and one number a cell for each output."""

    def __init__(self, channels: int, outputs: int, start: float) -> None:
        super().__init__()
        self.body = convolution(channels, channels)
        self.out = nn.Conv2d(channels, outputs, 1)
        nn.init.constant_(self.out.bias, start)  # type: ignore[arg-type]

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        answered: torch.Tensor = self.out(self.body(x)).flatten(2)
        return answered


class Network(nn.Module):
    """Pixels uint8 [n, 3, S, S] to boxes [n, N, 4] (x1, y1, x2, y2 in pixels) and logits [n, N, C], N the cells of all
    three levels."""

    points: torch.Tensor  # float32 [N, 3]: the middle of each cell, x and y in pixels, and its stride

    def __init__(self, detector: Detector, classes: int) -> None:
        super().__init__()
        widths, neck = detector.widths, detector.neck
        self.stem = convolution(3, widths[0], stride=2)
        self.stages = nn.ModuleList(
            nn.Sequential(convolution(inside, outside, stride=2), *(Residual(outside) for _ in range(detector.depth)))
            for inside, outside in itertools.pairwise(widths)
        )
        self.lateral = nn.ModuleList(convolution(width, neck, 1) for width in widths[2:])
        self.down = nn.ModuleList(convolution(neck, neck) for _ in range(2))
        self.up = nn.ModuleList(convolution(neck, neck, stride=2) for _ in range(2))
        self.classes = nn.ModuleList(Head(neck, classes, -math.log((1 - PRIOR) / PRIOR)) for _ in STRIDES)
        self.distances = nn.ModuleList(Head(neck, 4, 1.0) for _ in STRIDES)
        self.register_buffer("points", cell_points(detector.image_size), persistent=False)

    def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        features = self.stem(pixels.to(torch.float32) / 255.0)
        levels = []
        for stage in self.stages:
            features = stage(features)
            levels.append(features)
        p3, p4, p5 = (lateral(level) for lateral, level in zip(self.lateral, levels[1:], strict=True))
        p4 = self.down[0](p4 + functional.interpolate(p5, scale_factor=2.0, mode="nearest"))
        p3 = self.down[1](p3 + functional.interpolate(p4, scale_factor=2.0, mode="nearest"))
        p4 = p4 + self.up[0](p3)
        p5 = p5 + self.up[1](p4)
        mixed = (p3, p4, p5)
        logits = torch.cat([head(level) for head, level in zip(self.classes, mixed, strict=True)], dim=2)
        sides = torch.cat([head(level) for head, level in zip(self.distances, mixed, strict=True)], dim=2)
        reach = functional.softplus(sides.transpose(1, 2)) * self.points[:, 2:]
        middle = self.points[:, :2]
        return torch.cat([middle - reach[..., :2], middle + reach[..., 2:]], dim=2), logits.transpose(1, 2)


def cell_points(image_size: int) -> torch.Tensor:
    """float32 [N, 3], level by level, row by row."""
    levels = []
    for stride in STRIDES:
        places = (torch.arange(image_size // stride, dtype=torch.float32) + 0.5) * stride
        y, x = torch.meshgrid(places, places, indexing="ij")
        levels.append(torch.stack([x.flatten(), y.flatten(), torch.full((x.numel(),), float(stride))], dim=1))
    return torch.cat(levels)
