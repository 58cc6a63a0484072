"""When an answer of a variant is the reference's: a kind for each sort of raw outputs, by its name in package.json."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any

import numpy as np

from modelyard.tasks.cosine import cosines
from modelyard.tasks.detection.matching import same_detections
from modelyard.tasks.detection.select import CHOSEN
from modelyard.tasks.metric import AgreementName
from modelyard.tasks.pipeline import Array
from modelyard.tasks.sequences import OUTPUT_IDS, of_one_width, same_sequences

COSINE = 0.99  # of a vector with the reference's, from which on they say the same


class Agreement(ABC):
    """answer: what an item that agrees is answered with, for people.

    chosen: raw outputs that are picked as a whole (boxes, tokens): their differences as numbers say nothing; choice:
    what people call them, and as what they are held against each other.
    relative: a difference counts as a share of the largest value of its output, for nothing is known of its scale, and
    values that are not finite may stand where the reference has them.
    """

    answer: str
    chosen: frozenset[str] = frozenset()
    choice: tuple[str, str] = ("", "")
    relative: bool = False

    @abstractmethod
    def same(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Array:
        """bool [items] of raw outputs, first axis the items."""
        ...

    def aligned(self, found: Array, wanted: Array) -> tuple[Array, Array]:
        """One raw output of both sides in shapes that can be compared."""
        return found, wanted

    def counted(self, gaps: Array, same: Array) -> Array:
        """Those of the differences [items, ...] that count; same: bool [items]."""
        return gaps

    def by_number(self, names: Iterable[str]) -> list[str]:
        """Those of the raw outputs whose differences count as such."""
        return [name for name in names if name not in self.chosen]


class _EachOutput(Agreement):
    """Judged output by output, over the last axis."""

    def same(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Array:
        items = len(next(iter(wanted.values())))
        same: Array = np.ones(items, dtype=bool)
        for name, expected in wanted.items():
            alike = self._alike(np.asarray(found[name]), expected)
            if alike is not None:
                same &= alike.reshape(items, -1).all(axis=1)
        return same

    @abstractmethod
    def _alike(self, found: Array, wanted: Array) -> Array | None:
        """bool [items, ...]; None of an output that says nothing about it."""
        ...


class SameLargest(_EachOutput):
    answer = "the label of the float model"

    def _alike(self, found: Array, wanted: Array) -> Array | None:
        if found.dtype == object or found.ndim < 2 or found.shape[-1] < 2:
            return None
        return np.asarray(found.argmax(axis=-1) == wanted.argmax(axis=-1))


class SameDirection(_EachOutput):
    answer = f"the vector of the reference (cosine {COSINE:g} or more)"

    def _alike(self, found: Array, wanted: Array) -> Array | None:
        return np.asarray(cosines(found, wanted) >= COSINE)


class SameBoxes(Agreement):
    """In any order; of what they were chosen from the numbers count."""

    answer = "the boxes of the float model"
    chosen = CHOSEN
    choice = ("chosen boxes", ", as sets,")

    def same(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Array:
        return same_detections(found, wanted)


class SameSequences(Agreement):
    """Of tokens; what another sequence is worth is no difference."""

    answer = "the text of the float model"
    chosen = frozenset({OUTPUT_IDS})
    choice = ("tokens", "")

    def same(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Array:
        return same_sequences(np.asarray(found[OUTPUT_IDS]), np.asarray(wanted[OUTPUT_IDS]))

    def aligned(self, found: Array, wanted: Array) -> tuple[Array, Array]:
        found, wanted = of_one_width(found, wanted)
        return found, wanted

    def counted(self, gaps: Array, same: Array) -> Array:
        return gaps[same]


class Anything(Agreement):
    """Only differences count."""

    answer = "an answer"
    relative = True

    def same(self, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> Array:
        return np.ones(1, dtype=bool)


AGREEMENTS: Mapping[AgreementName, Agreement] = MappingProxyType(
    {
        "argmax": SameLargest(),
        "cosine": SameDirection(),
        "boxes": SameBoxes(),
        "sequences": SameSequences(),
        "none": Anything(),
    }
)
