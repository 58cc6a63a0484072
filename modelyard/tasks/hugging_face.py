"""A Hugging Face directory as a PyTorch model, and back: safetensors alone, no code that the directory brings."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput
from modelyard.store.artifacts import Model, write_index

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


def open_model(auto: str, what: str, folder: Path, options: Mapping[str, Any], **config_values: Any) -> torch.nn.Module:
    """The model that the class `auto` of transformers makes of the directory, float32; a new one where it holds no
    weights.

    what: what it should open as, for the error (`a text classifier`); options: `dropout` (None keeps the model's own),
    `attention` (the implementation; `eager` for export); config_values: changes to its configuration.
    Raises BadInput for weights that are not safetensors and for code that the directory would bring along.
    """
    import torch
    import transformers

    with quiet_transformers():
        try:
            config = transformers.AutoConfig.from_pretrained(folder, trust_remote_code=False, **config_values)
            if options.get("dropout") is not None:
                for name in DROPOUTS:
                    if hasattr(config, name):
                        setattr(config, name, float(options["dropout"]))
            kind, attention = getattr(transformers, auto), options.get("attention")
            if not any(folder.glob("*.safetensors")):
                new: torch.nn.Module = kind.from_config(
                    config, dtype=torch.float32, trust_remote_code=False, attn_implementation=attention
                )
                return new
            model: torch.nn.Module = kind.from_pretrained(
                folder,
                config=config,
                dtype=torch.float32,
                use_safetensors=True,
                trust_remote_code=False,
                ignore_mismatched_sizes=True,  # a head made for other classes gives way to a new one
                attn_implementation=attention,
            )
        except Exception as error:  # of every kind, by what config.json says: its classes have validators of their own
            first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
            raise BadInput(
                f"this directory does not open as {what}: {first}",
                where=str(folder),
                next=f"give a Hugging Face directory of a model that transformers opens as {what}",
            ) from error
    return model


def save_model(model: torch.nn.Module, folder: Path, index: Mapping[str, Any]) -> None:
    """Write model.safetensors, config.json and model.json; nothing about where or when.

    index: what model.json says beside what follows from the model being one of transformers.
    """
    with quiet_transformers():
        model.save_pretrained(folder)  # type: ignore[operator]
    config = json.loads((folder / "config.json").read_bytes())
    config.pop("_name_or_path", None)
    (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True, ensure_ascii=False) + "\n")
    said = {"format": 1, "framework": "torch", "loader": "transformers", "architecture": type(model).__name__}
    write_index(Model, folder, {**said, **index})
