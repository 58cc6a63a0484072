"""What is counted while a source is read: rows, those set aside and why, classes, keys that came late."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from modelyard.stages.ingest.batch import BadRow, Position, RawBatch
from modelyard.stages.ingest.text_files.csv_records import OPEN_QUOTE

SHOWN_BAD_ROWS = 100
# A reason can quote the value that is wrong: so many different ones are counted by name, further ones not at all.
COUNTED_REASONS = 1000


@dataclass
class Tally:
    """Of all rows so far. rows: the good ones; aside: the others; shown: the first of these; classes: of the target;
    left_out: things in good rows that were not taken, by reason; unknown: keys that are no column of the Dataset, in
    order of appearance. after: where the reader stands behind them, if it can tell; open_quote: where it stood behind
    the last batch in which a quote was not closed."""

    rows: int = 0
    aside: int = 0
    shown: list[BadRow] = field(default_factory=list)
    reasons: Counter[str] = field(default_factory=Counter)
    classes: Counter[str] = field(default_factory=Counter)
    left_out: Counter[str] = field(default_factory=Counter)
    unknown: dict[str, None] = field(default_factory=dict)
    after: Position | None = None
    open_quote: Position | None = None

    def set_aside(self, bad: Sequence[BadRow]) -> None:
        """bad: in their order."""
        self.aside += len(bad)
        self.shown.extend(bad[: max(0, SHOWN_BAD_ROWS - len(self.shown))])
        for row in bad:
            if row.reason in self.reasons or len(self.reasons) < COUNTED_REASONS:
                self.reasons[row.reason] += 1

    def count(self, batch: RawBatch, known: set[str]) -> None:
        """What a batch says beside its rows. known: the columns of the Dataset."""
        self.unknown.update(dict.fromkeys(name for name in batch.columns if name not in known))
        self.left_out.update(batch.left_out)
        self.after = batch.after
        if any(row.reason == OPEN_QUOTE for row in batch.bad):
            self.open_quote = batch.after

    def as_json(self) -> dict[str, Any]:
        return {
            "rows": self.rows,
            "aside": self.aside,
            "shown": [row.as_json() for row in self.shown],
            "reasons": dict(self.reasons),
            "classes": dict(self.classes),
            "left_out": dict(self.left_out),
            "unknown": list(self.unknown),
            "after": asdict(self.after) if self.after else None,
            "open_quote": asdict(self.open_quote) if self.open_quote else None,
        }

    @staticmethod
    def from_json(value: Mapping[str, Any]) -> Tally:
        return Tally(
            value["rows"],
            value["aside"],
            [BadRow(**row) for row in value["shown"]],
            Counter(value["reasons"]),
            Counter(value["classes"]),
            Counter(value.get("left_out", {})),
            dict.fromkeys(value["unknown"]),
            *(Position(**value[name]) if value[name] else None for name in ("after", "open_quote")),
        )
