"""Label: one class name of a closed set."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from modelyard.fields.text import whole_characters


class Label:
    """A class name. `NA`, `no` and `010` are names like any other: none becomes a missing value or a number."""

    name = "label"

    def arrow_type(self) -> pa.DataType:
        return pa.large_string()

    def read(self, value: Any) -> str | None:
        if value is None:
            return None
        if isinstance(value, list | tuple | dict):
            raise ValueError(f"a {type(value).__name__}, not the name of one class")
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, float) and not value.is_integer():
            raise ValueError(f"the label {value} is a fraction, not a class")
        shown = str(int(value)) if isinstance(value, float) else str(value).strip()
        # A name that looks like another and is not: NUL and its like are damage, not a class of their own.
        if not shown.isprintable() and any(unicodedata.category(c) == "Cc" and not c.isspace() for c in shown):
            raise ValueError("a control character in the label")
        return whole_characters(shown) or None

    def canonical(self, value: Any) -> bytes:
        return str(value).encode()

    def answer(self, written: str, names: Sequence[str]) -> str:
        """The name itself, or the one that differs in case alone (a spreadsheet makes `TRUE` of `true`), or in how its
        accents are composed, which nobody sees."""
        given = " ".join(written.split())
        found = [name for name in names if _folded(name) == _folded(given)]
        if len(found) == 1 or given in found:
            return given if given in found else found[0]
        close = difflib.get_close_matches(given.casefold(), [name.casefold() for name in names], n=1)
        meant = next((name for name in names if [name.casefold()] == close), None)
        advice = f"did you mean {meant}?" if meant else f"it has {', '.join(names)}"
        raise ValueError(f"{given[:60]!r} is no label of the guideline; {advice}")

    def distance(self, one: Any, other: Any) -> float:
        """Nominal: classes have no order."""
        return float(one != other)


def _folded(name: str) -> str:
    return unicodedata.normalize("NFC", name.casefold())
