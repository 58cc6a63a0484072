"""The encoder with its pooling behind it: what the graph of an embedding package holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.tasks.text.pretrained import open_pretrained
from modelyard.tasks.text_embedding.pooling import SMALLEST, Pooling

if TYPE_CHECKING:
    import torch


def load_embedder(folder: Path, pooling: Pooling, options: Mapping[str, Any]) -> torch.nn.Module:
    """A module from feeds [n, tokens] to vectors [n, D], float32; errors as `open_pretrained` has them."""
    import torch

    encoder = open_pretrained("AutoModel", "a text encoder", folder, options)

    class Embedder(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.encoder = encoder

        def forward(self, **feeds: torch.Tensor) -> torch.Tensor:
            hidden: torch.Tensor = self.encoder(**feeds).last_hidden_state
            if pooling.mode == "cls":
                vectors = hidden[:, 0]
            else:
                weights = feeds["attention_mask"].unsqueeze(-1).to(hidden.dtype)
                vectors = (hidden * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-9)
            return torch.nn.functional.normalize(vectors, dim=-1, eps=SMALLEST) if pooling.normalize else vectors

    return Embedder()
