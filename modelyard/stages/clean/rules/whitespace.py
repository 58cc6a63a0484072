"""Blanks around and between words."""

from __future__ import annotations

from modelyard.stages.clean.batch import TextBatch


def whitespace(batch: TextBatch) -> TextBatch:
    r"""One kind of line end (`\n`), one blank where several stand in a row within a line, none around the text."""
    text = batch.text.str.replace_all(r"\r\n?", "\n").str.replace_all(r"[ \t\u00a0\u3000]{2,}|\t|\u00a0", " ")
    return batch.repair(text.str.strip_chars(), "whitespace")
