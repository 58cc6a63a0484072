"""One rule a file. RULES look at one text; DATASET_RULES at all rows that have equal inputs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from modelyard.stages.clean.rules.control_characters import CONTROL_CHARACTERS
from modelyard.stages.clean.rules.exact_duplicates import exact_duplicates
from modelyard.stages.clean.rules.mojibake import MOJIBAKE
from modelyard.stages.clean.rules.normal_form import NFC, NFKC
from modelyard.stages.clean.rules.rule import Rule
from modelyard.stages.clean.rules.whitespace import WHITESPACE

if TYPE_CHECKING:
    import polars as pl

RULES: Mapping[str, Rule] = {
    "mojibake": MOJIBAKE,
    "nfc": NFC,
    "nfkc": NFKC,
    "control_characters": CONTROL_CHARACTERS,
    "whitespace": WHITESPACE,
}
DATASET_RULES: Mapping[str, Callable[[pl.DataFrame, bool], pl.DataFrame]] = {"exact_duplicates": exact_duplicates}

__all__ = ["DATASET_RULES", "RULES", "Rule"]
