"""Disjoint sets (Tarjan, 1975): which rows hang together, through whatever key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

Indices = np.ndarray[Any, np.dtype[np.int64]]


class UnionFind:
    """Sets of 0..n-1; the smallest member stands for its set."""

    def __init__(self, size: int) -> None:
        self._parent = list(range(size))

    def find(self, member: int) -> int:
        """The smallest member of the set (path halving)."""
        parent = self._parent
        while parent[member] != member:
            parent[member] = parent[parent[member]]
            member = parent[member]
        return member

    def join(self, pairs: Iterable[tuple[int, int]]) -> None:
        """Put the members of each pair into one set."""
        for one, other in pairs:
            a, b = self.find(one), self.find(other)
            if a != b:
                self._parent[max(a, b)] = min(a, b)

    def roots(self) -> Indices:
        """The smallest member of the set of each member: int64 [n]."""
        return np.fromiter((self.find(member) for member in range(len(self._parent))), np.int64, len(self._parent))
