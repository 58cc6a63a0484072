"""A tokenizer learned from the texts of a train side: byte-level BPE, which writes every text back as it was.

Source: Sennrich et al., ACL 2016 (BPE); Radford et al. 2019 (over bytes, so nothing is unknown). Digits stand alone, so
that a number is read by its places.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.tasks.seq2seq.recipes import END, PAD, UNKNOWN

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL = {"<pad>": PAD, "</s>": END, "<unk>": UNKNOWN}
LEAST = 256 + len(SPECIAL)  # every byte has a token


def learn_tokenizer(texts: Iterator[str], most: int) -> Tokenizer:
    """most: tokens at most. The same texts in the same order give the same tokenizer."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", END)])
    trainer = trainers.BpeTrainer(
        vocab_size=max(most, LEAST),
        min_frequency=2,
        special_tokens=list(SPECIAL),
        initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return tokenizer


def write_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """tokenizer.json and tokenizer_config.json, which AutoTokenizer opens."""
    tokenizer.save(str(folder / "tokenizer.json"))
    config = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "pad_token": "<pad>",
        "eos_token": "</s>",
        "unk_token": "<unk>",
        "clean_up_tokenization_spaces": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
