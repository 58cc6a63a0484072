"""Which rows hang together, through whatever key: connected components by hooking and pointer jumping.

(Shiloach and Vishkin, 1982: every round the larger of two joined roots is hung below the smaller one.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

Indices = np.ndarray[Any, np.dtype[np.int64]]


def components(size: int, pairs: Indices) -> Indices:
    """The smallest member of the set that each of 0..size-1 belongs to: int64 [size].

    pairs: members that belong together, int64 [pairs, 2].
    """
    parent: Indices = np.arange(size)
    one, other = pairs[:, 0], pairs[:, 1]
    while True:
        a, b = parent[one], parent[other]
        apart = a != b
        if not apart.any():
            return parent
        one, other, a, b = one[apart], other[apart], a[apart], b[apart]
        np.minimum.at(parent, np.maximum(a, b), np.minimum(a, b))
        while True:
            above = parent[parent]
            if np.array_equal(above, parent):
                break
            parent = above
