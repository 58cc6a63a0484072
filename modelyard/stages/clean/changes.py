"""A repaired text as a person can compare it: the place of the first change, with what cannot be seen written out."""

from __future__ import annotations

import re
import unicodedata
from itertools import takewhile

_BEFORE = 24  # characters that stay before the change, so that the place is known again
_SHOWN = 80


def visible(text: str) -> str:
    """Controls, format signs and spaces other than the plain one as escapes: \\t, \\xa0, \\u200b."""
    shown = "".join(letter.encode("unicode_escape").decode() if _hidden(letter) else letter for letter in text)
    # One of two spaces in a row, or a space at an end, is an open box: it would not be seen.
    return re.sub(r"(?<= ) |^ | $", "\u2423", shown)


def _hidden(letter: str) -> bool:
    return letter != " " and unicodedata.category(letter) in ("Cc", "Cf", "Co", "Cs", "Zs", "Zl", "Zp")


def around_change(before: str, after: str) -> tuple[str, str]:
    """Both texts from shortly before the first sign in which they differ, at most _SHOWN characters each."""
    same = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(before, after, strict=False)))
    start = max(0, same - _BEFORE)
    return _cut(before, start), _cut(after, start)


def _cut(text: str, start: int) -> str:
    shown = visible(text[start : start + _SHOWN])
    return ("…" if start else "") + shown + ("…" if len(text) > start + _SHOWN else "")
