"""An SVG drawing built element by element; every text and attribute is escaped."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup, escape

# Drawing units; on the page a chart is at most 560 px wide, so that a unit is about a pixel.
WIDTH = 480
FONT = 12
_CHARACTER = 6.9  # mean advance of the system fonts at FONT
_WIDE = 12.0  # of an East Asian wide character
COLOURS = 7


@dataclass(frozen=True)
class Chart:
    """A drawing with its finding as title, and the data behind it. slug names its CSV file."""

    slug: str
    title: str
    drawing: Markup
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    note: str = ""


def text_width(text: str) -> float:
    """Drawing units that a text takes, about."""
    return sum(_WIDE if unicodedata.east_asian_width(letter) in "WF" else _CHARACTER for letter in text)


def shortened(text: str, width: float) -> str:
    """One line that fits, cut with an ellipsis."""
    line = " ".join(text.split())
    if text_width(line) <= width:
        return line
    while line and text_width(line) + _CHARACTER > width:
        line = line[:-1]
    return line.rstrip() + "…"


def colour(index: int) -> str:
    """The class of a categorical colour: the same index has the same colour in every chart."""
    return f"c{index % COLOURS + 1}"


def _attribute(value: Any) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def _code(name: str) -> Markup:
    """A tag or attribute name: it stands in our code, never in data."""
    return Markup(name)  # noqa: S704


class Canvas:
    """A drawing of the given height, described for screen readers by its title."""

    def __init__(self, height: float, title: str, width: float = WIDTH) -> None:
        self.width = width
        self.height = height
        self.title = title
        self._elements: list[Markup] = []

    def add(self, tag: str, content: str | None = None, **attributes: Any) -> None:
        """An element; `class_` and `text_anchor` become class and text-anchor."""
        written = Markup("").join(
            Markup(' {}="{}"').format(_code(name.rstrip("_").replace("_", "-")), _attribute(value))
            for name, value in attributes.items()
            if value is not None and value != ""
        )
        if content is None:
            self._elements.append(Markup("<{0}{1}></{0}>").format(_code(tag), written))
        else:
            self._elements.append(Markup("<{0}{1}>{2}</{0}>").format(_code(tag), written, content))

    def line(self, x1: float, y1: float, x2: float, y2: float, class_: str) -> None:
        self.add("line", x1=x1, y1=y1, x2=x2, y2=y2, class_=class_)

    def text(self, x: float, y: float, content: str, class_: str = "", anchor: str = "start", **more: Any) -> None:
        self.add("text", content, x=x, y=y, class_=class_, text_anchor="" if anchor == "start" else anchor, **more)

    def rect(self, x: float, y: float, width: float, height: float, class_: str, **more: Any) -> None:
        self.add("rect", x=x, y=y, width=max(0.0, width), height=max(0.0, height), class_=class_, **more)

    def dot(self, x: float, y: float, radius: float, class_: str, hint: str = "") -> None:
        """A circle; the hint shows under the pointer."""
        if not hint:
            self.add("circle", cx=x, cy=y, r=radius, class_=class_)
            return
        circle = Markup('<circle cx="{}" cy="{}" r="{}" class="{}"><title>{}</title></circle>')
        self._elements.append(circle.format(_attribute(x), _attribute(y), _attribute(radius), class_, hint))

    def path(self, points: Sequence[tuple[float, float]], class_: str) -> None:
        """Straight lines through the points."""
        if points:
            self.add("path", d="M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), class_=class_)

    def markup(self) -> Markup:
        head = Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>').format(
            _attribute(self.width), _attribute(self.height), escape(self.title), escape(self.title)
        )
        return head + Markup("").join(self._elements) + Markup("</svg>")
