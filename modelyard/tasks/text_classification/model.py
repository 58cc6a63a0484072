"""A sequence classifier of transformers: opened, run and saved. Knows nothing of loops or parallelism."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput
from modelyard.store import Model
from modelyard.store.artifacts import write_index
from modelyard.tasks.text_classification.decode import LOGITS
from modelyard.tasks.text_classification.directory import copy_tokenizer, pad_id

if TYPE_CHECKING:
    import torch

# What the families call their dropout probabilities (BERT and RoBERTa; DistilBERT; GPT-2).
DROPOUTS = (
    "hidden_dropout_prob",
    "attention_probs_dropout_prob",
    "classifier_dropout",
    "dropout",
    "attention_dropout",
    "seq_classif_dropout",
    "embd_pdrop",
    "resid_pdrop",
    "attn_pdrop",
)


@contextlib.contextmanager
def quiet_transformers() -> Iterator[None]:
    """No load report and no progress bar: a head that is new is what fine-tuning is about."""
    from transformers.utils import logging

    level, bar = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(level)
        if bar:
            logging.enable_progress_bar()


def load_classifier(folder: Path, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
    """AutoModelForSequenceClassification with a head for the labels, float32.

    options: `dropout` (None keeps the model's own), `attention` (the implementation; `eager` for export).
    Raises BadInput for weights that are not safetensors and for code that the directory would bring along.
    """
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    with quiet_transformers():
        try:
            config = AutoConfig.from_pretrained(
                folder,
                trust_remote_code=False,
                id2label=dict(enumerate(labels)),
                label2id={label: index for index, label in enumerate(labels)},
            )
            config.pad_token_id = pad_id(folder)
            if options.get("dropout") is not None:
                for name in DROPOUTS:
                    if hasattr(config, name):
                        setattr(config, name, float(options["dropout"]))
            model: torch.nn.Module = AutoModelForSequenceClassification.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,  # a head made for other classes gives way to a new one
                attn_implementation=options.get("attention"),
            )
        except (OSError, ValueError, KeyError, RuntimeError) as error:
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise BadInput(
                f"this directory does not open as a text classifier: {first}",
                where=str(folder),
                next="give a Hugging Face directory of a model that transformers can classify text with",
            ) from error
    return model


def forward(model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """feeds [n, tokens] to logits [n, labels]."""
    return {LOGITS: model(**feeds).logits}


def save_classifier(
    model: torch.nn.Module, base: Path, folder: Path, task: str, labels: Sequence[str], max_length: int
) -> None:
    """Write model.safetensors, config.json, the tokenizer and model.json; nothing about where or when."""
    with quiet_transformers():
        model.save_pretrained(folder)  # type: ignore[operator]
    config = json.loads((folder / "config.json").read_bytes())
    config.pop("_name_or_path", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    copy_tokenizer(base, folder)
    write_index(
        Model,
        folder,
        {
            "format": 1,
            "task": task,
            "framework": "torch",
            "loader": "transformers",
            "architecture": type(model).__name__,
            "labels": list(labels),
            "max_length": max_length,
        },
    )
