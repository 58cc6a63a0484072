"""What is to be opened next: new items in batches for two people, disagreements for the arbiter, batches anew."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from sqlalchemy import Connection

from modelyard.annotate.board import ARBITER, BLIND, Board, Role, Work
from modelyard.annotate.config import AnnotateConfig
from modelyard.annotate.present import Present
from modelyard.annotate.quality import FEWEST_GOLD, by_batch, quality
from modelyard.annotate.records import add_items, add_work, take_from
from modelyard.errors import BadInput


@dataclass(frozen=True)
class Opening:
    """One go at the board: what it opens stands in the ledger when the transaction of `connection` ends."""

    connection: Connection
    board: Board
    present: Present
    config: AnnotateConfig
    say: Callable[[str], None]

    def all(self) -> None:
        self.new_items()
        self.items_that_are_back()
        self.disagreements()
        self.batches_below()

    def new_items(self) -> None:
        """Items that no batch has: `batch_size` rows of the data, then gold items that nobody has seen yet. An item
        that is in a batch stays there, so that what is added later opens new batches and nothing else. The first gold
        items of all make a batch of their own where there are no new rows to hide them among."""
        board, present, config = self.board, self.present, self.config
        new = [item for item in present.rows if item not in board.items]
        gold = [item for item in present.hidden if item not in board.items]
        last = max(board.items.values(), default=0)
        sizes = [config.gold_per_batch] * math.ceil(len(new) / config.batch_size)
        if not new and not present.gold.keys() & board.items.keys():
            sizes = [size] if (size := config.gold_per_batch * last) and gold else []
        pairs, rows, known = list(combinations(config.annotators, 2)), iter(new), iter(gold)
        for number, size in enumerate(sizes, last + 1):
            items = [*islice(rows, config.batch_size), *islice(known, size)]
            add_items(self.connection, board, number, items)
            self._give(number, 1, pairs[(number - 1) % len(pairs)], BLIND, items)
        if new:
            self.say(f"{len(new):,} items to label are new")

    def items_that_are_back(self) -> None:
        """Rows that were not in the data when their batch was opened again, and are now: nobody has them in its present
        round, so they go to those who had them before."""
        board, rounds = self.board, self.board.rounds()
        held = {
            item for work in board.works.values() if work.round == rounds[work.batch] for item in board.tasks[work.name]
        }
        had: dict[str, list[Work]] = {}
        for work in sorted(board.works.values(), key=lambda work: work.round):
            for item in board.tasks[work.name] if work.role == BLIND else ():
                if item in self.present.cells and item not in held:
                    had[item] = [*(each for each in had.get(item, ()) if each.round == work.round), work]
        given: dict[tuple[int, str], list[str]] = defaultdict(list)
        for item, works in had.items():
            for work in works:
                given[work.batch, work.annotator].append(item)
        for (batch, person), items in given.items():
            self._give(batch, rounds[batch], (person,), BLIND, items)

    def disagreements(self) -> None:
        """Where everybody who labels a batch has done so, what they disagree on goes to the arbiter, who sees no more
        than they did. One that was decided already stays so."""
        board = self.board
        waiting = {board.works[name].batch for name in board.undone(self.present.cells) if self._is_blind(name)}
        with_arbiter = {item for name, tasks in board.tasks.items() if self._decides(name) for item in tasks}
        for batch, items in by_batch(board.answered(self.present.cells)).items():
            if batch in waiting:
                continue
            torn = [each.item for each in items if each.complete and each.label is None]
            fresh = [item for item in torn if item not in with_arbiter]
            if fresh:
                self._give(batch, items[0].round, (self.config.arbiter,), ARBITER, fresh)

    def batches_below(self) -> None:
        """A batch that is decided and lies below the bar goes back to the same people, as often as `rounds` says."""
        board, config = self.board, self.config
        for batch, items in by_batch(board.answered(self.present.cells)).items():
            if any(item.label is None for item in items):
                continue
            missed = quality(items, self.present.gold).below(config, FEWEST_GOLD)
            if missed and items[0].round < config.rounds:
                self.again(batch)
                self.say(
                    f"batch {batch} goes back: {missed}, the bar is {config.bar:.3g}; "
                    f"round {items[0].round + 1} of {config.rounds} is open"
                )

    def again(self, batch: int) -> None:
        """The next round of a batch: what was said before stays on record, and counts no longer."""
        board = self.board
        now = board.round_of(batch)
        if not now:
            raise BadInput(f"there is no batch {batch}", next=f"there are 1 to {max(board.items.values(), default=0)}")
        # As it was dealt: who had which items blind, those who took over from somebody too.
        for name, work in list(board.works.items()):
            if work.batch == batch and work.round == now and work.role == BLIND:
                items = [item for item in board.tasks[name] if item in self.present.cells]
                if items:
                    self._give(batch, now + 1, (work.annotator,), BLIND, items)

    def move(self, batch: int, one: str, other: str) -> int:
        """What `one` has not answered yet in a batch goes to `other`; answers that are there stay. How many it was.

        Raises BadInput where one person would get an item twice.
        """
        board = self.board
        now, moved = board.round_of(batch), 0
        of_batch = [work for work in board.works.values() if work.batch == batch and work.round == now]
        for work in of_batch:
            if work.annotator != one:
                continue
            left = [item for item in board.tasks[work.name] if (work.name, item) not in board.votes]
            theirs = {item for own in of_batch if own.annotator == other for item in board.tasks[own.name]}
            if theirs & set(left):
                raise BadInput(
                    f"{other} has items of batch {batch} already that {one} has", next="name somebody else with --to"
                )
            left = [item for item in left if item in self.present.cells]
            if left:
                take_from(self.connection, board, work.name, left)
                self._give(batch, now, (other,), work.role, left)
                moved += len(left)
        if not moved:
            raise BadInput(
                f"{one} has nothing left to answer in batch {batch}",
                next="modelyard annotate assign lists who has what",
            )
        return moved

    def _give(self, batch: int, number: int, people: Sequence[str], role: Role, items: Sequence[str]) -> None:
        shown = self.present.shown(items)
        for person in people:
            name = f"batch-{batch:03}-{person}{f'-round-{number}' if number > 1 else ''}"
            work = Work(
                self.board.free_name(name), batch, number, person, role,
                self.board.version, self.present.columns,
            )  # fmt: skip
            add_work(self.connection, self.board, work, shown)

    def _is_blind(self, work: str) -> bool:
        return self.board.works[work].role == BLIND

    def _decides(self, work: str) -> bool:
        """Whether it is the arbiter's in the round that its batch is in."""
        own = self.board.works[work]
        return own.role == ARBITER and own.round == self.board.round_of(own.batch)


def progress(board: Board, present: Present) -> Iterator[tuple[str, int, int]]:
    """Of each person with something to do or done in the present rounds: name, answered, all."""
    rounds, undone = board.rounds(), board.undone(present.cells)
    counts: dict[str, tuple[int, int]] = {}
    for name, tasks in sorted(board.tasks.items()):
        work = board.works[name]
        if work.round == rounds[work.batch]:
            there = sum(item in present.cells for item in tasks)
            done, total = counts.get(work.annotator, (0, 0))
            counts[work.annotator] = (done + there - len(undone.get(name, ())), total + there)
    yield from ((name, done, total) for name, (done, total) in counts.items() if total)
