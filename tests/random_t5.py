"""A T5 directory of random weights, for what does not ask what a model has learned."""

from __future__ import annotations

from pathlib import Path


def random_t5(folder: Path, *, tied: bool = True, vocabulary: int = 50) -> Path:
    """Without a tokenizer. Tied ones hardly ever end a sequence, the others often do."""
    import torch
    from transformers import T5Config, T5ForConditionalGeneration

    torch.manual_seed(0)
    config = T5Config(
        vocab_size=vocabulary,
        d_model=32,
        d_kv=8,
        d_ff=64,
        num_layers=2,
        num_heads=4,
        decoder_start_token_id=0,
        tie_word_embeddings=tied,
        feed_forward_proj="relu" if tied else "gated-gelu",
        initializer_factor=3.0,
    )
    T5ForConditionalGeneration(config).save_pretrained(folder)
    return folder
