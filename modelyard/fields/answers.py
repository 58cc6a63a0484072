"""What a kind of column brings to annotation: how people see a value of it, and how their answers compare."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable


@runtime_checkable
class Answerable(Protocol):
    """A field whose value a person can write into one cell, by a name that the guideline lists."""

    def answer(self, written: str, names: Sequence[str]) -> Any:
        """The value meant. Raises ValueError with what is wrong when it is none of the names."""
        ...

    def distance(self, one: Any, other: Any) -> float:
        """0 where two answers say the same, 1 where they have nothing in common: what Krippendorff's alpha weighs."""
        ...


@runtime_checkable
class Filed(Protocol):
    """A field whose values are files: a table names them, and they lie beside it."""

    def file_ending(self, value: Any) -> str:
        """`.png`"""
        ...
