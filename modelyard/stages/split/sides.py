"""Which side a group lies on: a keyed hash of its first member, unless a side is recorded."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from modelyard.stages.split.config import Shares, SplitConfig
from modelyard.stages.split.keys import tied_pairs
from modelyard.stages.split.union_find import Indices, UnionFind
from modelyard.store.dataset import show_row_id

if TYPE_CHECKING:
    import polars as pl

SIDES = ("train", "validation", "test")
# Of rows that leak, the one on the most protected side stays: a test set keeps its meaning, train can spare a row.
PROTECTED = ("test", "validation", "train")


@dataclass(frozen=True)
class Assignment:
    """side, head (a row_id): a value a row. aside: {position: why this row cannot lie on any side}.

    roots: the first row of the group of each row: int64 [rows]. ties: pairs that each kind of tie joined.
    """

    side: list[str]
    head: list[bytes]
    aside: dict[int, str]
    roots: Indices
    ties: dict[str, int]


def hashed_side(row_id: bytes, shares: Shares, seed: int) -> str:
    """A side by BLAKE2b of the row hash (the first 16 bytes of row_id), keyed by the seed: the same for ever."""
    digest = hashlib.blake2b(row_id[:16], digest_size=8, key=f"modelyard split {seed}".encode()).digest()
    place = int.from_bytes(digest, "big") / 2**64
    if place < shares.test:
        return "test"
    return "validation" if place < shares.test + shares.validation else "train"


def assign(keys: pl.DataFrame, config: SplitConfig) -> Assignment:
    """A side for each row.

    1. Rows with a recorded side keep it. Of those that are tied across sides (the source's own split leaks) only the
       ones on the most protected side stay.
    2. A new row inherits side and head of the group it joins. One that ties two sides together is set aside.
    3. A group without a recorded side takes the hash of its first row.
    """
    recorded: list[str | None] = keys["side"].to_list() if config.keep_split else [None] * len(keys)
    ids: list[bytes] = keys["row_id"].to_list()
    heads: list[bytes | None] = keys["head"].to_list() if config.keep_split else [None] * len(keys)
    pairs = {
        name.removeprefix("tie:"): list(tied_pairs(keys, name)) for name in keys.columns if name.startswith("tie:")
    }
    aside = _leaks(keys, recorded, ids) if any(recorded) else {}

    groups = UnionFind(len(keys))
    for found in pairs.values():
        groups.join(found)
    roots = groups.roots()
    known: dict[int, dict[str, int]] = {}  # root: {side: first row recorded on it}
    for row, side in enumerate(recorded):
        if side is not None and row not in aside:
            known.setdefault(int(roots[row]), {}).setdefault(side, row)

    side_of: list[str] = []
    head_of: list[bytes] = []
    for row, root in enumerate(roots.tolist()):
        own, sides = recorded[row], known.get(root, {})
        if own is not None:
            first = sides.get(own, row)
            side_of.append(own)
            head_of.append(heads[row] or heads[first] or ids[first])
        elif len(sides) > 1:
            (one, first), (other, second) = list(sides.items())[:2]
            aside[row] = f"ties {one} row {show_row_id(ids[first])} to {other} row {show_row_id(ids[second])}"
            side_of.append("train")
            head_of.append(ids[row])
        elif sides:
            ((side, first),) = sides.items()
            side_of.append(side)
            head_of.append(heads[first] or ids[first])
        else:
            side_of.append(hashed_side(ids[root], config.shares, config.seed))
            head_of.append(ids[root])
    return Assignment(side_of, head_of, aside, roots, {name: len(found) for name, found in pairs.items()})


def _leaks(keys: pl.DataFrame, recorded: list[str | None], ids: list[bytes]) -> dict[int, str]:
    """Recorded rows that are tied to one on a more protected side, with the reason.

    Only recorded rows count as ties here: that a new row brings two of them together is the new row's fault.
    """
    import polars as pl

    old = [row for row, side in enumerate(recorded) if side is not None]
    among = keys[old] if len(old) < len(keys) else keys
    groups = UnionFind(len(old))
    for name in keys.columns:
        if name.startswith("tie:"):
            groups.join(tied_pairs(among, name))
    roots = groups.roots()
    shared = pl.Series(roots).is_duplicated().arg_true().to_list()
    best: dict[int, int] = {}  # root: the row on the most protected side
    for place in shared:
        root = int(roots[place])
        if root not in best or _rank(recorded[old[place]]) < _rank(recorded[best[root]]):
            best[root] = old[place]
    leaking: dict[int, str] = {}
    for place in shared:
        row, keeper = old[place], best[int(roots[place])]
        if recorded[row] != recorded[keeper]:
            leaking[row] = f"{recorded[row]} row tied to {recorded[keeper]} row {show_row_id(ids[keeper])}"
    return leaking


def _rank(side: str | None) -> int:
    return PROTECTED.index(side) if side in PROTECTED else len(PROTECTED)


def group_sizes(roots: Indices) -> Counter[int]:
    """Rows a group, by its first row."""
    return Counter(roots.tolist())
