"""Which side a group lies on: a keyed hash of its first member, unless a side is recorded."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from modelyard.stages.split.components import Indices, components
from modelyard.stages.split.config import SIDES, Shares
from modelyard.stages.split.keys import members
from modelyard.stages.split.recorded import NO_SIDE, Ids, Recorded
from modelyard.store import Dataset
from modelyard.store.dataset import ROW_ID, show_row_id
from modelyard.store.spill import row_starts

Codes = np.ndarray[tuple[int], np.dtype[np.int8]]


@dataclass(frozen=True)
class Aside:
    """A row that can lie on no side: its number, the rows that it stands between (one, when it is recorded itself)."""

    row: int
    between: tuple[int, ...]


@dataclass
class Groups:
    """The rows that are tied to another one; every other row is a group of its own.

    rows: their numbers, ascending: int64 [n]. root: for each the place in `rows` of the first row of its group.
    side: a code, NO_SIDE where the first row of the group decides by its hash. leader: the place in `rows` of the row
    whose head is theirs. aside: rows that cannot lie on any side, in row order.
    """

    rows: Indices
    root: Indices
    side: Codes
    leader: Indices
    aside: list[Aside] = field(default_factory=list)

    def aside_rows(self) -> Indices:
        return np.array([each.row for each in self.aside], dtype=np.int64)


def hashed_sides(ids: Sequence[bytes], shares: Shares, seed: int) -> Codes:
    """Sides by BLAKE2b of the row hash (the first 16 bytes of a row_id), keyed by the seed: the same for ever."""
    keyed = hashlib.blake2b(digest_size=8, key=f"modelyard split {seed}".encode())
    digests = []
    for row_id in ids:
        digest = keyed.copy()
        digest.update(row_id[:16])
        digests.append(digest.digest())
    place = np.frombuffer(b"".join(digests), dtype=">u8").astype(np.float64) / 2.0**64
    codes: Codes = np.full(len(digests), SIDES.index("train"), dtype=np.int8)
    codes[place < shares.test + shares.validation] = SIDES.index("validation")
    codes[place < shares.test] = SIDES.index("test")
    return codes


def assign(pairs: Sequence[Indices], among_recorded: Sequence[Indices], recorded: Recorded) -> Groups:
    """Sides of the rows that are tied. pairs: of rows that belong together, by number, of each tie; among_recorded:
    the same as if there were no other rows than those with a recorded side.

    1. Rows with a recorded side keep it. Of those that are tied across sides (the source's own split leaks) only the
       ones on the most protected side stay.
    2. A new row inherits side and head of the group it joins. One that ties two sides together is set aside.
    3. A group without a recorded side takes the hash of its first row.
    """
    rows = members(pairs)
    size = len(rows)
    root = components(size, _places(rows, pairs))
    side: Codes = np.asarray(recorded.side[rows])
    keeper = _keepers(components(size, _places(rows, among_recorded)), side)
    leaks = (side != NO_SIDE) & (side != side[keeper])

    # For each group and side the first row that is recorded there and stays; `size` where there is none.
    first = np.full((size, len(SIDES)), size, dtype=np.int64)
    stays = np.flatnonzero((side != NO_SIDE) & ~leaks)[::-1]  # of several values for one place the last is kept
    first[root[stays], side[stays]] = stays
    own_first = first[root, np.maximum(side, 0)]
    ways = (first < size).sum(axis=1)[root]
    nearest = np.sort(first, axis=1)[root]

    itself = np.arange(size)
    has_side, head_known = side != NO_SIDE, np.asarray(recorded.known[rows])
    leader = np.where(
        has_side,
        np.where(head_known | (own_first == size), itself, own_first),
        np.where(ways > 1, itself, np.where(ways == 1, nearest[:, 0], root)),
    )
    inherited = ~has_side & (ways == 1)
    torn_between = ~has_side & (ways > 1)
    final = side.copy()
    final[inherited] = side[nearest[inherited, 0]]
    final[torn_between] = SIDES.index("train")
    aside = [
        Aside(
            int(rows[n]), (int(rows[keeper[n]]),) if leaks[n] else (int(rows[nearest[n, 0]]), int(rows[nearest[n, 1]]))
        )
        for n in np.flatnonzero(leaks | torn_between).tolist()
    ]
    return Groups(rows, root, final, leader, aside)


def _places(rows: Indices, pairs: Sequence[Indices]) -> Indices:
    return np.searchsorted(rows, np.concatenate([np.zeros((0, 2), dtype=np.int64), *pairs]))


def _keepers(root: Indices, side: Codes) -> Indices:
    """For each row the first of those on the most protected side of its group: of rows that leak those stay.

    A test set keeps its meaning, train can spare a row: `SIDES` names the sides from the least protected on. Rows
    without a side are groups of their own here.
    """
    order = np.lexsort((np.arange(len(root)), -side.astype(np.int64), root))
    leads = np.ones(len(order), dtype=np.bool_)
    leads[1:] = root[order][1:] != root[order][:-1]
    best = np.zeros(len(root), dtype=np.int64)
    best[root[order][leads]] = order[leads]
    return best[root]


def torn_groups(pairs: Sequence[Indices], groups: Groups) -> int:
    """Groups of the pairs that have rows on more than one side."""
    root = components(len(groups.rows), _places(groups.rows, pairs))
    return len(np.unique(root[groups.side != groups.side[root]]))


class RowIdOf:
    """row_ids of a few rows by their number, read part by part."""

    def __init__(self, dataset: Dataset, rows: Indices) -> None:
        self._rows = np.unique(rows)
        self._ids: Ids = np.zeros((len(self._rows), 20), dtype=np.uint8)
        starts = row_starts(dataset)
        for view in dataset.views():
            low, high = np.searchsorted(self._rows, starts[view.index : view.index + 2])
            if low < high:
                places = self._rows[low:high] - starts[view.index]
                ids = view.read([ROW_ID], dropped=True)[ROW_ID].take(places).to_pylist()
                self._ids[low:high] = np.frombuffer(b"".join(ids), dtype=np.uint8).reshape(-1, 20)

    def of(self, rows: Indices) -> Ids:
        """uint8 [rows, 20]"""
        return self._ids[np.searchsorted(self._rows, rows)]

    def shown(self, row: int) -> str:
        return show_row_id(self.of(np.array([row]))[0].tobytes())


def why_aside(aside: Aside, recorded: Recorded, ids: RowIdOf) -> str:
    """The reason in words. ids: those of the rows that it names."""
    named = [f"{SIDES[recorded.side[row]]} row {ids.shown(row)}" for row in aside.between]
    if len(named) == 1:
        return f"{SIDES[recorded.side[aside.row]]} row tied to {named[0]}"
    return f"ties {named[0]} to {named[1]}"
