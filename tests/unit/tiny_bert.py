"""A two-layer BERT and a small WordPiece tokenizer, made here from nothing, and reviews that it can learn."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pyarrow as pa

from modelyard.store import Column, Dataset, Store
from modelyard.store.dataset import ROW_ID_TYPE

GOOD = ("good", "great", "fine", "lovely", "superb")
BAD = ("bad", "awful", "poor", "dull", "dreadful")
THINGS = ("film", "book", "meal", "song", "play", "trip")
LABELS = ("negative", "positive")


def reviews(count: int) -> list[tuple[str, str]]:
    """(text, label): different texts of 4 to 24 words, the classes in turn."""
    rows = []
    for number in range(count):
        label = LABELS[number % 2]
        words = (BAD, GOOD)[number % 2]
        filler = " and ".join(["it was long"] * (number // 2 % 6))
        rows.append((f"the {THINGS[number // 2 % 6]} number {number} was {words[number % 5]} {filler}".strip(), label))
    return rows


def make_base(folder: Path, *, seed: int = 0) -> Path:
    """A Hugging Face directory: BERT of hidden size 32, random weights."""
    import torch
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    special = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    trainer = trainers.WordPieceTrainer(vocab_size=400, special_tokens=special, show_progress=False)
    tokenizer.train_from_iterator(
        [text for text, _ in reviews(200)] + ["你好 世界 abcdefghijklmnopqrstuvwxyz"], trainer
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS] $A [SEP]", special_tokens=[("[CLS]", 2), ("[SEP]", 3)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, unk_token="[UNK]", pad_token="[PAD]", cls_token="[CLS]", sep_token="[SEP]"
    ).save_pretrained(folder)
    torch.manual_seed(seed)
    config = BertConfig(
        vocab_size=tokenizer.get_vocab_size(),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def make_dataset(store: Store, rows: list[tuple[str, str, str]], *, split: bool = True) -> Dataset:
    """rows: (text, label, side)."""
    return write_parts(store, [rows], split=split)


def write_parts(store: Store, parts: list[list[tuple[str, str, str]]], *, split: bool = True) -> Dataset:
    """The same in several parts."""
    columns = [
        Column("review", "text", "input"),
        Column("mood", "label", "target", tuple(sorted({label for rows in parts for _, label, _ in rows}))),
        Column("row_id", "value", "system"),
    ]
    if split:
        columns.append(Column("split", "value", "system"))
    writer = store.new_dataset(columns)
    for rows in parts:
        ids = [hashlib.sha256(text.encode()).digest()[:16] + bytes(4) for text, _, _ in rows]
        content = {
            "review": pa.array([text for text, _, _ in rows], pa.large_string()),
            "mood": pa.array([label for _, label, _ in rows], pa.large_string()),
            "row_id": pa.array(ids, ROW_ID_TYPE),
        }
        if split:
            content["split"] = pa.array([side for _, _, side in rows], pa.large_string())
        writer.write(pa.table(content))
    return writer.finish()


def tiny_reviews(store: Store, train: int = 120, validation: int = 40) -> Dataset:
    """Reviews with a split: the first rows train, the next validate."""
    rows = reviews(train + validation)
    return make_dataset(store, [(*row, "train" if place < train else "validation") for place, row in enumerate(rows)])
