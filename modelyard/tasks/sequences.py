"""Raw outputs that are sequences of tokens, and what an engine that generates them by itself is asked.

A variant whose graphs have the role GENERATOR answers a whole search in one call; others are driven step by step by
the pipeline. Both give the same raw outputs: OUTPUT_IDS int32 [n, T], what was generated with the token that ends it,
filled up with NOTHING behind, and SCORES float32 [n].
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Protocol, runtime_checkable

import numpy as np

from modelyard.tasks.pipeline import Array, Tensors

GENERATOR = "generator"
OUTPUT_IDS = "output_ids"
SCORES = "scores"  # mean log-probability a token, that of the end too
NOTHING = -1
MOST_STREAMS = 8  # of one model that take turns; further ones wait until one of them ends

# What a generator takes beside the features of the items, as scalars: int32, int32, float32.
BEAMS = "beams"  # 1 is greedy
MAX_NEW_TOKENS = "max_new_tokens"  # the end of the sequence counts as one
LENGTH_PENALTY = "length_penalty"  # a beam is worth its log-probability over length ** length_penalty


@runtime_checkable
class Steps(Protocol):
    """A generator that also answers token by token, one step of compute each time that it is asked for the next."""

    def steps(self, feeds: Mapping[str, Array]) -> Iterator[int]:
        """Those of OUTPUT_IDS of ONE item, greedy. Closing the iterator stops the work."""
        ...


def settings(beams: int, max_new_tokens: int, length_penalty: float) -> Tensors:
    """As a generator takes them."""
    return {
        BEAMS: np.array(beams, dtype=np.int32),
        MAX_NEW_TOKENS: np.array(max_new_tokens, dtype=np.int32),
        LENGTH_PENALTY: np.array(length_penalty, dtype=np.float32),
    }


def of_one_width(*parts: Array) -> list[Array]:
    """Sequences int [n, T] of different T, those that are shorter filled up with NOTHING; anything else as it is."""
    if any(part.ndim != 2 or part.dtype.kind != "i" for part in parts):
        return list(parts)
    width = max(part.shape[1] for part in parts)
    return [np.pad(part, ((0, 0), (0, width - part.shape[1])), constant_values=NOTHING) for part in parts]


def same_sequences(found: Array, wanted: Array) -> Array:
    """bool [n]: whether the rows [n, T] hold the same ids, whatever they are filled up to."""
    found, wanted = of_one_width(found, wanted)
    same: Array = np.asarray((found == wanted).all(axis=1))
    return same
