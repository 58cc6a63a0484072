"""One rule a file. RULES look at a batch of rows; DATASET_RULES at all rows together."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from modelyard.stages.clean.batch import TextBatch
from modelyard.stages.clean.rules.control_characters import control_characters
from modelyard.stages.clean.rules.exact_duplicates import exact_duplicates
from modelyard.stages.clean.rules.mojibake import mojibake
from modelyard.stages.clean.rules.normal_form import nfc, nfkc
from modelyard.stages.clean.rules.whitespace import whitespace

if TYPE_CHECKING:
    import polars as pl

RULES: dict[str, Callable[[TextBatch], TextBatch]] = {
    "mojibake": mojibake,
    "nfc": nfc,
    "nfkc": nfkc,
    "control_characters": control_characters,
    "whitespace": whitespace,
}
DATASET_RULES: dict[str, Callable[[pl.DataFrame], pl.Series]] = {"exact_duplicates": exact_duplicates}

__all__ = ["DATASET_RULES", "RULES"]
