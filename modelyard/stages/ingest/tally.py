"""What is counted while a source is read: rows, those set aside and why, classes, keys that came late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from modelyard.stages.ingest.batch import BadRow

SHOWN_BAD_ROWS = 100
# A reason can quote the value that is wrong: so many different ones are counted by name, further ones not at all.
COUNTED_REASONS = 1000


@dataclass
class Tally:
    """Of all rows so far. rows: the good ones; aside: the others; shown: the first of these; classes: of the target;
    unknown: keys that are no column of the Dataset, in order of appearance."""

    rows: int = 0
    aside: int = 0
    shown: list[BadRow] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, None] = field(default_factory=dict)

    def set_aside(self, bad: Sequence[BadRow]) -> None:
        """bad: in their order."""
        self.aside += len(bad)
        self.shown.extend(bad[: max(0, SHOWN_BAD_ROWS - len(self.shown))])
        for row in bad:
            if row.reason in self.reasons or len(self.reasons) < COUNTED_REASONS:
                self.reasons[row.reason] += 1

    def keys(self, names: Iterable[str], known: set[str]) -> None:
        self.unknown.update(dict.fromkeys(name for name in names if name not in known))

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "aside": self.aside,
            "shown": [row.as_json() for row in self.shown],
            "reasons": self.reasons,
            "classes": self.classes,
            "unknown": list(self.unknown),
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Tally:
        return Tally(
            value["rows"],
            value["aside"],
            [BadRow(**row) for row in value["shown"]],
            Counter(value["reasons"]),
            Counter(value["classes"]),
            dict.fromkeys(value["unknown"]),
        )
