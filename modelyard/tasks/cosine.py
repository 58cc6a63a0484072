"""How alike two vectors are, whatever their lengths."""

from __future__ import annotations

import numpy as np

from modelyard.tasks.pipeline import Array


def cosines(one: Array, other: Array) -> Array:
    """Cosines [...] of vectors [..., D], pair by pair, float64; 1 for two vectors of zeros, 0 for one."""
    one, other = np.asarray(one, dtype=np.float64), np.asarray(other, dtype=np.float64)
    lengths = np.linalg.norm(one, axis=-1) * np.linalg.norm(other, axis=-1)
    alike: Array = np.asarray((one == other).all(axis=-1), dtype=np.float64)
    found: Array = np.divide((one * other).sum(axis=-1), lengths, out=alike, where=lengths > 0)
    return found
