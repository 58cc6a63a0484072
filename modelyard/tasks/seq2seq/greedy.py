"""Greedy search: the likeliest token at every step."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

import numpy as np

from modelyard.tasks.pipeline import Array, Graph
from modelyard.tasks.seq2seq.decoding import INPUT_IDS, Decoding, log_softmax
from modelyard.tasks.sequences import NOTHING


def greedy(
    graphs: Mapping[str, Graph], feeds: Mapping[str, Array], start: int, ends: Collection[int], most: int
) -> tuple[Array, Array]:
    """output_ids int32 [n, most], the end among them and NOTHING behind it, and scores float32 [n], the mean
    log-probability of a token."""
    n = len(feeds[INPUT_IDS])
    ids: Array = np.full((n, most), NOTHING, dtype=np.int32)
    sums, counts = np.zeros(n, dtype=np.float64), np.zeros(n, dtype=np.int64)
    decoding, open_rows = Decoding(graphs, feeds), np.arange(n)
    tokens: Array = np.full(n, start, dtype=np.int64)
    for step in range(most):
        shares = log_softmax(decoding.step(tokens))
        tokens = shares.argmax(axis=-1)
        ids[open_rows, step] = tokens
        sums[open_rows] += shares[np.arange(len(tokens)), tokens]
        counts[open_rows] += 1
        going = np.flatnonzero(~np.isin(tokens, [*ends]))
        if not len(going):
            break
        if len(going) < len(tokens):  # what has ended costs nothing any more
            decoding.keep(going)
            open_rows, tokens = open_rows[going], tokens[going]
    return ids, (sums / counts).astype(np.float32)


def greedy_tokens(
    graphs: Mapping[str, Graph], feeds: Mapping[str, Array], start: int, ends: Collection[int], most: int
) -> Iterator[int]:
    """The tokens of the one item of `feeds` as they come, without the end."""
    decoding = Decoding(graphs, feeds)
    token = start
    for _ in range(most):
        token = int(decoding.step(np.array([token], dtype=np.int64))[0].argmax())
        if token in ends:
            return
        yield token
