"""T5 as transformers has it: loading, teacher forcing, saving, and its own generation."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch

from modelyard.errors import BadInput
from modelyard.tasks.hugging_face import open_model, save_model
from modelyard.tasks.pipeline import Array, Tensors
from modelyard.tasks.seq2seq.decoding import INPUT_IDS, MASK
from modelyard.tasks.seq2seq.pipeline import FORCED, Seq2SeqPipeline
from modelyard.tasks.seq2seq.settings import FAMILY, MOST_TOKENS, SETTINGS
from modelyard.tasks.sequences import NOTHING, OUTPUT_IDS, SCORES
from modelyard.tasks.text.directory import copy_tokenizer, pad_id, read_json

if TYPE_CHECKING:
    from transformers import T5ForConditionalGeneration


def load_t5(folder: Path, options: Mapping[str, Any]) -> T5ForConditionalGeneration:
    """Float32, attention written out (what the exporter takes); errors as `open_model` has them. Raises BadInput for
    another family."""
    kind = read_json(folder / "config.json").get("model_type")
    if kind not in FAMILY:
        raise BadInput(
            f"a model of the type {kind!r} does not write texts here",
            where=str(folder / "config.json"),
            next=f"give a directory of one of {', '.join(FAMILY)}, or a recipe: t5-mini",
        )
    dropout = {} if options.get("dropout") is None else {"dropout_rate": float(options["dropout"])}
    model = open_model(
        "AutoModelForSeq2SeqLM",
        "a model that reads a text and writes one",
        folder,
        {"attention": "eager"},
        pad_token_id=pad_id(folder),
        **dropout,
    )
    return cast("T5ForConditionalGeneration", model)


def forced_logits(model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """The tokens before are given in feeds[FORCED] [n, steps]: logits [n, steps, vocabulary]."""
    answered = model(
        input_ids=feeds[INPUT_IDS], attention_mask=feeds[MASK], decoder_input_ids=feeds[FORCED], use_cache=False
    )
    logits: torch.Tensor = answered.logits
    return logits


def save_t5(model: torch.nn.Module, base: Path, folder: Path, max_length: int, generation: Mapping[str, Any]) -> None:
    """A Model that AutoModelForSeq2SeqLM and AutoTokenizer open. generation: how the base searches; what was trained
    may write as much as it was shown."""
    save_model(model, folder, {"task": "seq2seq", "labels": [], "max_length": max_length})
    copy_tokenizer(base, folder)
    config = cast("T5ForConditionalGeneration", model).config
    ids = {name: getattr(config, name) for name in ("pad_token_id", "eos_token_id", "decoder_start_token_id")}
    said = read_json(base / SETTINGS) if (base / SETTINGS).is_file() else {}
    for name in ("transformers_version", "max_length"):
        said.pop(name, None)
    said["max_new_tokens"] = max(min(max_length, MOST_TOKENS), int(generation["max_new_tokens"]))
    (folder / SETTINGS).write_text(json.dumps({**ids, **said}, indent=2, sort_keys=True) + "\n")


class Generator:
    """`generate` of transformers as the role `generator`: the same raw outputs, by the settings of the pipeline."""

    def __init__(self, model: torch.nn.Module, pipeline: Seq2SeqPipeline) -> None:
        from transformers import GenerationConfig

        settings = pipeline.generation
        self._model = cast("T5ForConditionalGeneration", model).eval()
        # What it says beside the settings (a penalty of repetition, say) is not followed, here as everywhere.
        self._model.generation_config = GenerationConfig()
        self._most, self._ends = settings.max_new_tokens, pipeline.ends
        self._config = GenerationConfig(
            do_sample=False,
            num_beams=settings.beams,
            length_penalty=settings.length_penalty if settings.beams > 1 else None,
            max_new_tokens=settings.max_new_tokens,
            decoder_start_token_id=pipeline.start,
            eos_token_id=list(pipeline.ends),
            pad_token_id=self._model.config.pad_token_id,
        )

    def run(self, feeds: Mapping[str, Array]) -> Tensors:
        given = {name: torch.from_numpy(feeds[name]) for name in (INPUT_IDS, MASK)}
        with torch.inference_mode():
            sequences = self._model.generate(**given, generation_config=self._config)
            chances = forced_logits(self._model, {**given, FORCED: sequences[:, :-1]}).float().log_softmax(dim=-1)
        written = sequences[:, 1:].numpy()
        is_end = np.isin(written, self._ends)
        there = is_end.cumsum(axis=1) - is_end == 0  # up to the first end, and that too
        ids: Array = np.full((len(written), self._most), NOTHING, dtype=np.int32)
        ids[:, : written.shape[1]] = np.where(there, written, NOTHING)
        of_tokens = np.take_along_axis(chances.numpy(), written[:, :, None], axis=2)[:, :, 0]
        scores = np.where(there, of_tokens, 0.0).sum(axis=1) / there.sum(axis=1)
        return {OUTPUT_IDS: ids, SCORES: scores.astype(np.float32)}
