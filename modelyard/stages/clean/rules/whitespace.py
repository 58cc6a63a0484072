"""Blanks around and between words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from modelyard.stages.clean.rules.rule import Rule, among, beyond_ascii

if TYPE_CHECKING:
    import polars as pl

BLANKS = r"[ \t\u00a0\u3000]{2,}|\t|\u00a0"


def _suspects(text: pl.Series) -> pl.Series:
    """Plain substrings instead of a pattern: twenty times as fast, and most texts are ASCII."""
    found = text.str.strip_chars().str.len_bytes() != text.str.len_bytes()
    for blank in ("  ", "\t", "\r"):
        found = found | text.str.contains(blank, literal=True)
    return found | among(beyond_ascii(text), text, lambda some: some.str.contains(BLANKS))


def _repair(text: pl.Series) -> pl.Series:
    return text.str.replace_all(r"\r\n?", "\n").str.replace_all(BLANKS, " ").str.strip_chars()


# One kind of line end (`\n`), one blank where several stand in a row within a line, none around the text.
WHITESPACE = Rule("whitespace", _suspects, _repair)
