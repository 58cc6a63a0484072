"""Sequence to sequence: a text in, a text out that is written token by token (translation, rewriting)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.tasks.seq2seq.chrf import Chrf
from modelyard.tasks.seq2seq.pipeline import SCORE, TEXT, Seq2SeqPipeline
from modelyard.tasks.task import Signature, Task

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask


class Seq2Seq(Task):
    name = "seq2seq"
    inputs = MappingProxyType({TEXT: "text"})
    target = "target"
    target_field = "text"
    metric = Chrf()
    agreement = "sequences"
    eager = "generator"
    # A small model is made from nothing: more epochs, and a higher rate, than a trained encoder is tuned with.
    defaults = MappingProxyType(
        {
            "train": {
                "base": "t5-mini",
                "epochs": 20,
                "patience": 4,
                "batch_size": 64,
                "base_lr": 0.004,
                "max_length": 64,
            },
            # One text in a hundred may be another where two tokens lie within a rounding error of each other.
            "export": {"parity_accuracy": 0.01},
        }
    )

    @property
    def baseline(self) -> str:
        return "memory"

    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        """score: the mean log-probability of a token of the answer, at most 0."""
        return Signature(inputs=((TEXT, "BYTES", (-1,)),), outputs=((TEXT, "BYTES", (-1,)), (SCORE, "FP32", (-1,))))

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> Seq2SeqPipeline:
        return Seq2SeqPipeline.open(folder, spec)

    def training(self, framework: str = "torch") -> TrainingTask:
        from modelyard.tasks.seq2seq.training import Seq2SeqTraining

        return Seq2SeqTraining()


TASK = Seq2Seq()

__all__ = ["TASK", "Seq2Seq", "Seq2SeqPipeline"]
