"""What stands of one guideline's annotation: who was given which items, what they answered, what follows from it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

Role = Literal["blind", "arbiter"]
BLIND: Role = "blind"
ARBITER: Role = "arbiter"


@dataclass(frozen=True)
class Work:
    """One file of one person: items of a batch in one round, labelled blind, or decided by the arbiter.

    version: of the guideline beside it. columns: names of the inputs in it.
    """

    name: str
    batch: int
    round: int
    annotator: str
    role: Role
    version: int
    columns: tuple[str, ...]


@dataclass(frozen=True)
class Vote:
    """Who said what, by which version of the guideline."""

    annotator: str
    label: str
    version: int


@dataclass(frozen=True)
class Item:
    """What was said of an item in the round that its batch is in. asked: how many people have it to label blind."""

    item: str
    batch: int
    round: int
    asked: int
    votes: tuple[Vote, ...]
    arbiter: Vote | None = None

    @property
    def complete(self) -> bool:
        """Whether everybody who was asked to label it blind has."""
        return len(self.votes) >= self.asked > 0

    @property
    def agreed(self) -> bool:
        return self.complete and len({vote.label for vote in self.votes}) == 1

    @property
    def label(self) -> str | None:
        """The decision: what the pair agreed on, else what the arbiter said; None while there is neither."""
        if self.agreed:
            return self.votes[0].label
        return self.arbiter.label if self.complete and self.arbiter else None

    @property
    def resolved(self) -> bool:
        """Whether the decision is what at least one of the pair said."""
        return self.label in {vote.label for vote in self.votes}


@dataclass
class Board:
    """items: batch of each. tasks: digest of what is shown, by work and item. votes: the last label, by work and item.
    labels: of the newest version of the guideline, `version` (0: there is none yet)."""

    guideline: str
    version: int = 0
    digest: str = ""
    labels: tuple[str, ...] = ()
    items: dict[str, int] = field(default_factory=dict)
    works: dict[str, Work] = field(default_factory=dict)
    tasks: dict[str, dict[str, str]] = field(default_factory=dict)
    votes: dict[tuple[str, str], str] = field(default_factory=dict)

    def round_of(self, batch: int) -> int:
        return max((work.round for work in self.works.values() if work.batch == batch), default=0)

    def rounds(self) -> dict[int, int]:
        """The round that each batch is in."""
        found: dict[int, int] = {}
        for work in self.works.values():
            found[work.batch] = max(found.get(work.batch, 0), work.round)
        return found

    def answered(self, present: Mapping[str, object]) -> Iterator[Item]:
        """The items that are there, batch by batch, with what was said in their batch's present round."""
        rounds = self.rounds()
        given: dict[str, list[Work]] = defaultdict(list)
        for name, tasks in self.tasks.items():
            work = self.works[name]
            if work.round == rounds[work.batch]:
                for item in tasks:
                    given[item].append(work)
        for item, batch in sorted(self.items.items(), key=lambda each: (each[1], each[0])):
            if item in present and item in given:
                works = sorted(given[item], key=lambda work: work.annotator)
                blind = [work for work in works if work.role == BLIND]
                by_arbiter = [self._vote(work, item) for work in works if work.role == ARBITER]
                yield Item(
                    item,
                    batch,
                    rounds[batch],
                    len(blind),
                    tuple(vote for work in blind if (vote := self._vote(work, item)) is not None),
                    next((vote for vote in by_arbiter if vote is not None), None),
                )

    def _vote(self, work: Work, item: str) -> Vote | None:
        label = self.votes.get((work.name, item))
        return None if label is None else Vote(work.annotator, label, work.version)

    def undone(self, present: Mapping[str, object]) -> dict[str, list[str]]:
        """Items that are still to be answered, by work, of the present rounds; what the arbiter need no longer decide
        is not asked of them."""
        rounds, items = self.rounds(), {each.item: each for each in self.answered(present)}
        found: dict[str, list[str]] = {}
        for name, tasks in self.tasks.items():
            work = self.works[name]
            if work.round != rounds[work.batch]:
                continue
            found[name] = [
                item
                for item in tasks
                if item in items
                and (name, item) not in self.votes
                and not (work.role == ARBITER and items[item].label is not None)
            ]
        return {name: left for name, left in found.items() if left}

    def free_name(self, name: str) -> str:
        """The name, or the first of NAME-2, NAME-3 ... that no work has."""
        number, free = 1, name
        while free in self.works:
            number += 1
            free = f"{name}-{number}"
        return free
