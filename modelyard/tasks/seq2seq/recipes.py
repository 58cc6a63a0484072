"""The sizes of T5 that Modelyard makes new models of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

# Ids of the special tokens, as T5 has them.
PAD, END, UNKNOWN = 0, 1, 2


def config_of(width: int, layers: int, heads: int, vocabulary: int, dropout: float = 0.1) -> dict[str, Any]:
    """The content of config.json: T5 1.1 (gated GELU), input and output embeddings one; vocab_size is the most that the
    tokenizer may learn."""
    return {
        "architectures": ["T5ForConditionalGeneration"],
        "model_type": "t5",
        "vocab_size": vocabulary,
        "d_model": width,
        "d_kv": width // heads,
        "d_ff": 2 * width,
        "num_layers": layers,
        "num_decoder_layers": layers,
        "num_heads": heads,
        "feed_forward_proj": "gated-gelu",
        "dropout_rate": dropout,
        "relative_attention_num_buckets": 32,
        "pad_token_id": PAD,
        "eos_token_id": END,
        "decoder_start_token_id": PAD,
        "tie_word_embeddings": True,
    }


# Names that a new model is made by, and its config.json.
RECIPES: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "t5-nano": config_of(128, 2, 4, 500, dropout=0.0),
        "t5-mini": config_of(192, 3, 4, 4000),
        "t5-small": config_of(384, 6, 6, 16_000),
    }
)
