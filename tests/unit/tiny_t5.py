"""A T5 of two layers made from nothing, and pairs that it can learn: words for digits, in Chinese and back."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pyarrow as pa

from modelyard.store import Column, Dataset, Model, Package, Store
from modelyard.store.dataset import ROW_ID_TYPE
from modelyard.tasks.seq2seq.recipes import config_of

WORDS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
DIGITS = "零一二三四五六七八九"


def pairs(count: int) -> list[tuple[str, str]]:
    """(one three, 一三): one to four digits, all different; every seventh one long."""
    found = []
    for number in range(count):
        shown = str(number * 7919 % 9973) * (2 if number % 7 == 0 else 1)
        found.append((" ".join(WORDS[int(digit)] for digit in shown), "".join(DIGITS[int(digit)] for digit in shown)))
    return found


def make_recipe(folder: Path, *, width: int = 32, layers: int = 2) -> Path:
    """A directory with config.json alone: what a recipe is."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config_of(width, layers, 2, 320)))
    return folder


def pair_dataset(store: Store, train: int = 240, validation: int = 40, test: int = 40, strange: str = "") -> Dataset:
    """The first rows train, the next validate, the last test; strange: a word in front of those that do not train."""
    rows = pairs(train + validation + test)
    rows[train:] = [(f"{strange} {source}".strip(), target) for source, target in rows[train:]]
    sides = ["train"] * train + ["validation"] * validation + ["test"] * test
    writer = store.new_dataset(
        [
            Column("en", "text", "input", public="text"),
            Column("zh", "text", "target", public="target"),
            Column("row_id", "value", "system"),
            Column("split", "value", "system"),
        ]
    )
    ids = [hashlib.sha256(source.encode()).digest()[:16] + bytes(4) for source, _ in rows]
    writer.write(
        pa.table(
            {
                "en": pa.array([source for source, _ in rows], pa.large_string()),
                "zh": pa.array([target for _, target in rows], pa.large_string()),
                "row_id": pa.array(ids, ROW_ID_TYPE),
                "split": pa.array(sides, pa.large_string()),
            }
        )
    )
    return writer.finish()


def train_tiny_t5(folder: Path) -> Model:
    """Of some seconds of training; texts of 40 tokens at most."""
    from modelyard.run import Run
    from modelyard.stages.train import TrainConfig, train

    run = Run(Store(folder / "store"), threads=1)
    base = make_recipe(folder / "recipe")
    config = TrainConfig(task="seq2seq", base=str(base), epochs=8, batch_size=16, base_lr=0.08, max_length=40)
    return train(pair_dataset(run.store), config, run)


def export_tiny_t5(model: Model, folder: Path) -> Package:
    from modelyard.run import Run
    from modelyard.stages.export import ExportConfig, export

    run = Run(Store(folder), threads=1)
    return export(model, pair_dataset(run.store), ExportConfig(name="words", golden=12, parity_accuracy=0.01), run)
