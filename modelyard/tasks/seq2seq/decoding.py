"""The two graphs as a step: tokens in, the log-probabilities of the next ones out, the cache kept in between.

The encoder answers the keys and values that the decoder's layers look at (`cross.N.key`, `cross.N.value`, float32
[n, heads, source, width]); the decoder takes one token a row, these, and what it answered before (`past.N.key`, ...,
[n, heads, steps, width], steps 0 at first), and answers `logits` [n, tokens] and `present.N.key`, ... one step longer.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from modelyard.tasks.pipeline import Array, Graph, Tensors

INPUT_IDS, MASK, TOKEN, LOGITS = "input_ids", "attention_mask", "token", "logits"
CROSS, PAST, PRESENT = "cross.", "past.", "present."


class Decoding:
    """Answers under way, one a row."""

    def __init__(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array], times: int = 1) -> None:
        """times: how many rows each item gets, beside each other."""
        self._decoder = graphs["decoder"]
        rows = np.repeat(np.arange(len(feeds[INPUT_IDS])), times)
        encoded = graphs["encoder"].run(feeds)
        self._source: Tensors = {name: values[rows] for name, values in encoded.items() if name.startswith(CROSS)}
        self._source[MASK] = feeds[MASK][rows]
        self._past: Tensors = {
            PAST + name.removeprefix(CROSS): np.zeros((*values.shape[:2], 0, values.shape[3]), dtype=values.dtype)
            for name, values in self._source.items()
            if name != MASK
        }

    def step(self, tokens: Array) -> Array:
        """tokens int64 [rows], the last of each row, to logits float32 [rows, vocabulary]."""
        answered = self._decoder.run({TOKEN: tokens[:, None], **self._source, **self._past})
        self._past = {
            PAST + name.removeprefix(PRESENT): values for name, values in answered.items() if name.startswith(PRESENT)
        }
        logits: Array = answered[LOGITS]
        return logits

    def keep(self, rows: Array) -> None:
        """Go on with these rows alone."""
        self.branch(rows)
        self._source = {name: values[rows] for name, values in self._source.items()}

    def branch(self, rows: Array) -> None:
        """Each row goes on from the beginning that `rows` names: one of the same item, so that the source stays."""
        self._past = {name: values[rows] for name, values in self._past.items()}


def log_softmax(logits: Array) -> Array:
    """float32 [..., vocabulary]: log-probabilities over the last axis, the largest logit taken away first."""
    shifted = logits - logits.max(axis=-1, keepdims=True)
    answered: Array = shifted - np.log(np.exp(shifted).sum(axis=-1, keepdims=True, dtype=np.float32))
    return answered


def largest(values: Array, count: int) -> Array:
    """Places of the `count` largest along the last axis, largest first; of equal ones the first place first."""
    size = values.shape[-1]
    if count * 4 >= size:
        return np.argsort(-values, axis=-1, kind="stable")[..., :count]
    cut = np.sort(np.argpartition(-values, count - 1, axis=-1)[..., :count], axis=-1)
    order = np.argsort(-np.take_along_axis(values, cut, axis=-1), axis=-1, kind="stable")
    chosen: np.ndarray[Any, np.dtype[Any]] = np.take_along_axis(cut, order, axis=-1)
    return chosen
