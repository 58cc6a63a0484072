"""What the page is made of, as plain data: sections of tables, charts, facts and sentences."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar

from modelyard.stages.release.charts import Chart


@dataclass(frozen=True)
class Cell:
    """A cell of a table. tone: pass, fail, warn or "" (a word always says the same); code: set in a fixed font.
    short: never broken over lines; picture: Base64 of a JPEG that is shown, `text` saying what it is."""

    text: str
    tone: str = ""
    strong: bool = False
    code: bool = False
    short: bool = False
    picture: str = ""


@dataclass(frozen=True)
class Table:
    """Cells are written text. numeric: the columns that are set flush right."""

    kind: ClassVar[str] = "table"
    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    numeric: tuple[int, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Facts:
    """Terms and what they are."""

    kind: ClassVar[str] = "facts"
    items: tuple[tuple[str, str], ...]
    caption: str = ""


@dataclass(frozen=True)
class Sentence:
    kind: ClassVar[str] = "sentence"
    text: str


@dataclass(frozen=True)
class Charts:
    """Charts side by side where there is room."""

    kind: ClassVar[str] = "charts"
    charts: tuple[Chart, ...]


Block = Table | Facts | Sentence | Charts


@dataclass(frozen=True)
class Section:
    """A folded part of the page; `finding` is the line that shows while it is folded."""

    slug: str
    title: str
    finding: str
    blocks: list[Block] = field(default_factory=list)

    def charts(self) -> list[Chart]:
        return [chart for block in self.blocks if isinstance(block, Charts) for chart in block.charts]


def cells(values: Sequence[str | Cell]) -> tuple[Cell, ...]:
    return tuple(value if isinstance(value, Cell) else Cell(value) for value in values)


def table(
    caption: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[str | Cell]],
    *,
    numeric: Sequence[int] = (),
    note: str = "",
) -> Table:
    return Table(caption, tuple(columns), tuple(cells(row) for row in rows), tuple(numeric), note)


def charts(*given: Chart | None) -> list[Block]:
    """One block of the charts that there are; none when there are none."""
    there = tuple(chart for chart in given if chart is not None)
    return [Charts(there)] if there else []


def source(row: dict[str, Any]) -> str:
    """Where a row came from: its line, and its file when there are several; empty when nobody kept it."""
    line = row.get("line")
    if line is None:
        return ""
    return f"{shown(row['file'], 40)}:{line}" if row.get("file") else str(line)


def shown(value: Any, most: int = 240) -> str:
    """A value from the data on one line, cut with an ellipsis."""
    line = " ".join(str(value).split())
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"
