"""The half that needs torch: that of text classification, with this task's pipeline and name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.tasks.text.directory import open_prepare
from modelyard.tasks.text_classification.model import save_classifier
from modelyard.tasks.text_classification.training import TextClassificationTraining

from . import TweetPipeline, TweetSentiment

if TYPE_CHECKING:
    import torch


class TweetTraining(TextClassificationTraining):
    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> TweetPipeline:
        prepare, _ = open_prepare(Path(base), max_length)
        return TweetPipeline(prepare, labels)

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        save_classifier(model, Path(base), folder, TweetSentiment.name, labels, max_length)
