"""Taking in what people filled in: every good row of a file is taken, every other one is named with its line."""

from __future__ import annotations

import difflib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelyard.annotate.board import Board
from modelyard.annotate.guideline import UNUSABLE
from modelyard.annotate.present import digest_of
from modelyard.fields import Answerable

UNUSABLE_AS_TYPED = (UNUSABLE, "？")  # the second is the full-width one of Chinese keyboards
NEEDED = ("id", "label", "work")


@dataclass(frozen=True)
class Refused:
    """A row that was not taken: where it stands and what is wrong."""

    file: str
    line: int
    reason: str

    def as_json(self) -> dict[str, Any]:
        return {"file": self.file, "line": self.line, "reason": self.reason}


@dataclass(frozen=True)
class FilledFile:
    """A file as it was read. rows: the line of each and its cells by column. bad: lines that are no rows."""

    name: str
    digest: str
    rows: Sequence[tuple[int, Mapping[str, str]]]
    bad: Sequence[tuple[int, str]] = ()

    @property
    def places(self) -> list[tuple[str, str]]:
        """Work and item of each row."""
        return [(row["work"].strip(), row["id"].strip()) for _, row in self.rows]


@dataclass
class Taken:
    """said: (work, item) to label and comment, of rows that say what the file did not say before. new: how many of
    these say what nobody had said; changed: how many of the new ones correct an earlier answer. same: rows that said
    what was known; empty: rows without a label yet."""

    file: str
    said: dict[tuple[str, str], tuple[str, str | None]] = field(default_factory=dict)
    new: int = 0
    changed: int = 0
    same: int = 0
    empty: int = 0
    refused: list[Refused] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "taken": self.new,
            "changed": self.changed,
            "same": self.same,
            "empty": self.empty,
            "refused": len(self.refused),
        }


def take(
    board: Board, filled: FilledFile, kind: Answerable, before: Mapping[tuple[str, str], tuple[str, str | None]]
) -> Taken:
    """Hold every row against what was asked. A row is refused whose id, work or label is unknown, whose text is not the
    one that was given out, or whose id stands twice.

    before: what the file at this place said last, label and comment by work and item. Only what it did not say then is
    news: a correction that came by another file is not undone by the one that still holds what was first said.
    """
    found = Taken(filled.name)
    found.refused = [Refused(filled.name, line, reason) for line, reason in filled.bad]
    places = filled.places
    times, rounds = Counter(places), board.rounds()
    for (line, row), place in zip(filled.rows, places, strict=True):
        if not any(row[name].strip() for name in NEEDED):
            continue  # a line of blanks
        try:
            if times[place] > 1:
                raise ValueError(f"the id {place[1]} stands {times[place]} times: none of these rows is taken")
            label = _answer(board, place, row, kind)
            work, known = board.works[place[0]], board.votes.get(place)
            first, remark = before.get(place, (None, None))
            if label not in (None, first, known) and work.round != rounds[work.batch]:
                raise ValueError(
                    f"batch {work.batch} is in round {rounds[work.batch]}, and this file is of an earlier one"
                )
        except ValueError as error:
            found.refused.append(Refused(filled.name, line, str(error)))
            continue
        if label is None:
            found.empty += 1
            continue
        comment = row.get("comment", "").strip() or None
        if first != label:
            found.said[place] = label, comment
            found.new += known != label
            found.changed += known not in (None, label)
        elif known == label and comment not in (None, remark):  # written later than the label
            found.said[place] = label, comment
        found.same += known == label or first == label
    found.refused.sort(key=lambda each: each.line)
    return found


def _answer(board: Board, place: tuple[str, str], row: Mapping[str, str], kind: Answerable) -> str | None:
    """The label, None where there is none yet. Raises ValueError with what is wrong."""
    name, item = place
    work = board.works.get(name)
    if work is None:
        close = difflib.get_close_matches(name, board.works, n=1)
        raise ValueError(f"there is no work {name[:60]!r}" + (f"; did you mean {close[0]}?" if close else ""))
    shown = board.tasks[name].get(item)
    if shown is None:
        raise ValueError(f"the id {item[:60]!r} is not in {name}, or somebody else has it now")
    given = row["label"].strip()
    if not given:
        return None
    label = UNUSABLE if given in UNUSABLE_AS_TYPED else str(kind.answer(given, board.labels))
    if label != board.votes.get(place) and digest_of([row.get(column, "") for column in work.columns]) != shown:
        columns = ", ".join(work.columns)
        raise ValueError(
            f"{columns}: not what was given out, so that the label may be of something else; a spreadsheet may have "
            f"changed it (save as CSV UTF-8)"
        )
    return label
