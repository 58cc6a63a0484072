"""Unicode normal forms (Unicode Standard Annex 15)."""

from __future__ import annotations

from typing import Literal

from modelyard.stages.clean.batch import TextBatch


def nfc(batch: TextBatch) -> TextBatch:
    """Composed form: e with a combining acute becomes é. Nothing that a reader sees changes."""
    return _normalise(batch, "NFC")


def nfkc(batch: TextBatch) -> TextBatch:
    """Compatibility form: full-width Ａ becomes A, ﬁ becomes fi, ² becomes 2. Not a default: it loses things."""
    return _normalise(batch, "NFKC")


def _normalise(batch: TextBatch, form: Literal["NFC", "NFKC"]) -> TextBatch:
    # ASCII is in every normal form, and most rows of most files are ASCII.
    chosen = batch.text.str.contains(r"[^\x00-\x7f]")
    if not chosen.any():
        return batch
    return batch.repair_where(chosen, batch.text.filter(chosen).str.normalize(form), f"Unicode {form}")
