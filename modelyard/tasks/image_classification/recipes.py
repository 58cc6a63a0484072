"""The models that are made new: ResNets, small enough for a CPU."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any


def _resnet(hidden_sizes: list[int], depths: list[int]) -> dict[str, Any]:
    """config.json of a ResNet of basic blocks (He et al. 2016, arXiv:1512.03385)."""
    return {
        "model_type": "resnet",
        "architectures": ["ResNetForImageClassification"],
        "layer_type": "basic",
        "embedding_size": hidden_sizes[0],
        "hidden_sizes": hidden_sizes,
        "depths": depths,
    }


# Names that a new model is made by, and its config.json.
RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "resnet": _resnet([32, 64, 128, 256], [1, 1, 1, 1]),
        "resnet-18": _resnet([64, 128, 256, 512], [2, 2, 2, 2]),
    }
)
