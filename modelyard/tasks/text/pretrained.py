"""A Hugging Face directory of a model that reads text, with its tokenizer, as a PyTorch model, and back."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.tasks.hugging_face import open_model, save_model
from modelyard.tasks.text.directory import copy_tokenizer, pad_id

if TYPE_CHECKING:
    import torch


def open_pretrained(
    auto: str, what: str, folder: Path, options: Mapping[str, Any], **config_values: Any
) -> torch.nn.Module:
    """As `open_model`, the id that fills a batch being the model's or its tokenizer's."""
    return open_model(auto, what, folder, options, pad_token_id=pad_id(folder), **config_values)


def save_pretrained(model: torch.nn.Module, base: Path, folder: Path, index: Mapping[str, Any]) -> None:
    """As `save_model`, with the tokenizer of `base`."""
    save_model(model, folder, index)
    copy_tokenizer(base, folder)
