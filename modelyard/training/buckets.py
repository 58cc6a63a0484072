"""Batches of rows of like length, in a new order every epoch."""

from __future__ import annotations

from typing import Any

import numpy as np

Indices = np.ndarray[Any, np.dtype[np.int64]]

# Rows are sorted by length within windows of so many batches: little padding, and still chance in every batch.
WINDOW_BATCHES = 50


def length_buckets(sizes: Indices, batch_size: int, seed: int, epoch: int) -> list[Indices]:
    """Row indices in batches of `batch_size` (the last of all may be smaller), each row exactly once.

    The rows are shuffled, cut into windows, sorted by size within each, cut into batches, and the batches shuffled.
    The order depends on seed and epoch alone, so a resumed run needs only its place in it.
    """
    chance = np.random.Generator(np.random.PCG64([seed, epoch]))
    order = chance.permutation(len(sizes))
    window = batch_size * WINDOW_BATCHES
    batches: list[Indices] = []
    for start in range(0, len(order), window):
        rows = order[start : start + window]
        rows = rows[np.argsort(sizes[rows], kind="stable")]
        batches.extend(rows[place : place + batch_size] for place in range(0, len(rows), batch_size))
    return [batches[place] for place in chance.permutation(len(batches))]


def sorted_batches(sizes: Indices, batch_size: int) -> list[Indices]:
    """All rows by length, for evaluation: the order of the answers is put right by their indices."""
    order = np.argsort(sizes, kind="stable")
    return [order[place : place + batch_size] for place in range(0, len(order), batch_size)]


def micro_batches(rows: Indices, micro_size: int) -> list[Indices]:
    """One batch in pieces of at most `micro_size` rows, none empty."""
    return [rows[place : place + micro_size] for place in range(0, len(rows), micro_size)]
