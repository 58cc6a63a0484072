"""The classifier as transformers has it: loading, logits, saving."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.tasks.class_scores import LOGITS
from modelyard.tasks.text.pretrained import open_pretrained, save_pretrained

if TYPE_CHECKING:
    import torch


def load_classifier(folder: Path, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
    """AutoModelForSequenceClassification with a head for the labels, float32; options and errors as `open_pretrained`
    has them."""
    return open_pretrained(
        "AutoModelForSequenceClassification",
        "a text classifier",
        folder,
        options,
        id2label=dict(enumerate(labels)),
        label2id={label: index for index, label in enumerate(labels)},
    )


def forward(model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """feeds [n, tokens] to logits [n, labels]."""
    return {LOGITS: model(**feeds).logits}


def save_classifier(
    model: torch.nn.Module, base: Path, folder: Path, task: str, labels: Sequence[str], max_length: int
) -> None:
    """A Model that AutoModelForSequenceClassification.from_pretrained opens."""
    save_pretrained(model, base, folder, {"task": task, "labels": list(labels), "max_length": max_length})
