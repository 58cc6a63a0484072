"""What a Hugging Face directory says about its tokenizer, read from its JSON files alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

from modelyard.errors import BadConfig, BadInput
from modelyard.tasks.text.prepare import TextPrepare, open_tokenizer

TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "sentencepiece.bpe.model",
    "spiece.model",
    "tokenizer.model",
)
# tokenizer_config.json says 1e30 where nobody set a length.
NO_LENGTH = 1_000_000


def read_json(path: Path) -> dict[str, Any]:
    """Raises BadInput when it is not a JSON object."""
    try:
        loaded = json.loads(path.read_bytes())
    except OSError as error:
        raise BadInput(f"{path.name} cannot be read: {error.strerror}", where=str(path)) from None
    except ValueError as error:
        raise BadInput(f"{path.name} is not JSON: {error}", where=str(path)) from None
    if not isinstance(loaded, dict):
        raise BadInput(f"{path.name} is not a JSON object", where=str(path))
    return loaded


def pad_id(folder: Path) -> int:
    """The id that fills a batch: the model's, else the tokenizer's, else (GPT types have none) the end of text."""
    config = read_json(folder / "config.json")
    if config.get("pad_token_id") is not None:
        return int(config["pad_token_id"])
    padding = read_json(folder / "tokenizer.json").get("padding")
    if padding:
        return int(padding["pad_id"])
    end = config.get("eos_token_id")
    return int(end[0] if isinstance(end, list) else end or 0)


def longest_input(folder: Path) -> int | None:
    """Tokens that the model can read, or None where nothing says so."""
    config = read_json(folder / "config.json")
    limits = [config.get("max_position_embeddings"), config.get("n_positions")]
    tokenizer = folder / "tokenizer_config.json"
    if tokenizer.is_file():
        limits.append(read_json(tokenizer).get("model_max_length"))
    known = [int(limit) for limit in limits if isinstance(limit, int | float) and 0 < limit < NO_LENGTH]
    return min(known, default=None)


def open_prepare(folder: Path, max_length: int) -> tuple[TextPrepare, dict[str, Any]]:
    """The preparation that this directory's model needs, and its `pipeline` object without the tokenizer's path.

    `token_type_ids` are fed only where the tokenizer gives a single text any type but 0. Raises BadConfig when
    `max_length` is more than the model can read.
    """
    longest = longest_input(folder)
    if longest is not None and max_length > longest:
        raise BadConfig(
            f"max_length is {max_length}, this model reads at most {longest} tokens",
            where="train.max_length",
            next=f"set train.max_length to {longest} or less",
        )
    filler = pad_id(folder)
    tokenizer = open_tokenizer(folder / "tokenizer.json")
    feeds = ["input_ids", "attention_mask"]
    if any(tokenizer.encode("a text").type_ids):
        feeds.append("token_type_ids")
    prepare = TextPrepare(tokenizer, max_length, feeds, filler)
    return prepare, {"max_length": max_length, "feeds": feeds, "pad_id": filler}


def copy_tokenizer(base: Path, folder: Path) -> None:
    """The tokenizer files of one directory into another."""
    for name in TOKENIZER_FILES:
        if (base / name).is_file():
            shutil.copyfile(base / name, folder / name)
