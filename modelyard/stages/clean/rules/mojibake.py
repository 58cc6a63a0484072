"""UTF-8 that was read as Windows-1252 or another single-byte encoding: `cafÃ©`."""

from __future__ import annotations

from functools import cache

from modelyard.stages.clean.batch import TextBatch


def mojibake(batch: TextBatch) -> TextBatch:
    """Undo it with `ftfy.fix_encoding`, on the rows that ftfy's own test for mojibake flags.

    ftfy leaves every text alone that its test does not flag, so nothing is missed; the test itself runs in Polars,
    which is some 15 times as fast as in Python.
    """
    import ftfy
    import polars as pl

    chosen = batch.text.str.contains(suspect_pattern())
    if not chosen.any():
        return batch
    fixed = pl.Series([ftfy.fix_encoding(text) for text in batch.text.filter(chosen)], dtype=pl.String)
    return batch.repair_where(chosen, fixed, "mojibake")


@cache
def suspect_pattern() -> str:
    """ftfy's BADNESS_RE as the Rust engine of Polars reads it."""
    from ftfy.badness import BADNESS_RE

    return without_verbose(BADNESS_RE.pattern)


def without_verbose(pattern: str) -> str:
    """A verbose pattern of Python as a plain one.

    Outside classes blanks and comments go. Inside them Python takes blanks and `[`, `&`, `~` as they stand, Rust
    does not.
    """
    plain: list[str] = []
    in_class = False
    place = 0
    while place < len(pattern):
        character = pattern[place]
        place += 1
        if character == "\\":
            plain.append(character + pattern[place])
            place += 1
        elif in_class:
            in_class = character != "]"
            escaped = f"\\x{{{ord(character):x}}}" if character.isspace() else f"\\{character}"
            plain.append(escaped if character.isspace() or character in "[&~" else character)
        elif character == "#":
            end = pattern.find("\n", place)
            place = len(pattern) if end < 0 else end
        elif not character.isspace():
            in_class = character == "["
            plain.append(character)
    return "".join(plain)
