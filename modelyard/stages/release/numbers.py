"""Numbers as people read them: 0.852 (0.839-0.864), 4.1 ms, 23 MB, 3 min 20 s; "no data" for what is not there.

Sizes are decimal (1 MB = 1,000,000 bytes). Everything here takes None, NaN and infinity, and answers `no_data`.
How units are written depends on the reader's language: a Style each.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

MINUS = "\u2212"


@dataclass(frozen=True)
class Style:
    """What stands around a number; `{}` is the number."""

    no_data: str
    percent: str
    points: str
    point: str  # of exactly 1
    ratio: str
    seconds: str
    minutes: str
    hours: str
    between: str  # of two parts of a duration
    rate: str
    byte_count: str
    rows: str
    operators: str
    to: str  # between bounds of which one is negative, or whose units differ
    dash: str  # between two plain bounds


ENGLISH = Style(
    no_data="no data", percent="{} %", points="{} points", point="{} point", ratio="{}x", seconds="{} s",
    minutes="{} min", hours="{} h",
    between=" ", rate="{}/s", byte_count="{} bytes", rows="{} rows", operators="{} operators", to=" to ", dash="-",
)  # fmt: skip
CHINESE = Style(
    no_data="无数据", percent="{}%", points="{} 个百分点", point="{} 个百分点", ratio="{} 倍",
    seconds="{} 秒", minutes="{} 分",
    hours="{} 小时", between=" ", rate="{} 次/秒", byte_count="{} 字节", rows="{} 行", operators="{} 个算子",
    to="～", dash="～",
)  # fmt: skip


def finite(value: Any) -> float | None:
    """The value as a float, or None for what is no finite number (booleans are no numbers)."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def _signed(text: str) -> str:
    """A true minus sign, and none before a zero."""
    if not text.startswith("-"):
        return text
    return MINUS + text[1:] if any(digit in text for digit in "123456789") else text[1:]


def _significant(number: float, digits: int = 2) -> str:
    if number == 0:
        return "0"
    size = math.floor(math.log10(abs(float(f"{number:.{digits - 1}e}"))))
    if size < -3:
        mantissa, _, exponent = f"{number:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return _signed(f"{mantissa}e{int(exponent)}").replace("e-", f"e{MINUS}")
    return _signed(f"{number:,.{max(0, digits - 1 - size)}f}")


def _per_hundred(number: float) -> str:
    hundred = number * 100
    return _signed(f"{hundred:.0f}") if hundred == 0 or abs(hundred) >= 9.95 else _significant(hundred)


class Numbers:
    """Numbers in one language."""

    def __init__(self, style: Style = ENGLISH) -> None:
        self.style = style

    def _as(self, value: Any, form: Callable[[float], str]) -> str:
        number = finite(value)
        return self.style.no_data if number is None else form(number)

    def significant(self, value: Any, digits: int = 2) -> str:
        """`digits` significant digits, thousands grouped; powers of ten below 0.001: 1.1e-6."""
        return self._as(value, lambda number: _significant(number, digits))

    def share(self, value: Any) -> str:
        """A share or a score with three decimals: 0.852."""
        return self._as(value, lambda number: _signed(f"{number:.3f}"))

    def percent(self, value: Any) -> str:
        """A share in per cent: 11 %, 4.2 %, 0.30 %."""
        return self._as(value, lambda number: self.style.percent.format(_per_hundred(number)))

    def points(self, value: Any) -> str:
        """A difference of two shares in percentage points: 0.2 points, -3.7 points."""
        return self._as(value, lambda number: self.style.points.format(_signed(f"{number * 100:.1f}")))

    def count(self, value: Any) -> str:
        """4,790."""
        return self._as(value, lambda number: _signed(f"{number:,.0f}"))

    def rows(self, value: Any) -> str:
        """4,790 rows."""
        return self._as(value, lambda number: self.style.rows.format(self.count(number)))

    def operators(self, value: Any) -> str:
        """42 operators."""
        return self._as(value, lambda number: self.style.operators.format(self.count(number)))

    def ratio(self, value: Any) -> str:
        """3.9x."""
        return self._as(
            value, lambda number: self.style.ratio.format(_significant(number, 2 if abs(number) < 10 else 3))
        )

    def milliseconds(self, value: Any) -> str:
        """Of milliseconds: 4.1 ms, 0.35 ms, 12.7 ms, 128 ms, 2.3 s."""

        def form(number: float) -> str:
            if abs(number) >= 1000:
                return self.duration(number / 1000)
            if abs(number) < 9.95:
                return f"{_significant(number)} ms"
            return _signed(f"{number:.1f}" if abs(number) < 99.95 else f"{number:.0f}") + " ms"

        return self._as(value, form)

    def duration(self, value: Any) -> str:
        """Of seconds: 0.4 s, 12 s, 3 min 20 s, 1 h 5 min."""
        return self._as(value, self._duration)

    def _duration(self, number: float) -> str:
        style = self.style
        if abs(number) < 9.95:
            return style.seconds.format(_significant(number) if abs(number) < 0.1 else _signed(f"{number:.1f}"))
        seconds = round(abs(number))
        if seconds < 60:
            parts = [style.seconds.format(seconds)]
        elif seconds < 3600:
            parts = [style.minutes.format(seconds // 60)] + [style.seconds.format(seconds % 60)] * (seconds % 60 > 0)
        else:
            minutes = round(seconds / 60)
            parts = [style.hours.format(minutes // 60)] + [style.minutes.format(minutes % 60)] * (minutes % 60 > 0)
        return (MINUS if number < 0 else "") + style.between.join(parts)

    def size(self, value: Any) -> str:
        """Of bytes: 23 MB, 1.2 GB, 912 kB."""

        def form(number: float) -> str:
            for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
                if abs(number) >= 0.9995 * factor:
                    scaled = number / factor
                    return _significant(scaled, 2 if abs(scaled) < 99.5 else 3) + f" {unit}"
            return self.style.byte_count.format(f"{number:.0f}")

        return self._as(value, form)

    def megabytes(self, value: Any) -> str:
        """Of megabytes (10^6 bytes): 121 MB, 1.2 GB."""
        return self._as(value, lambda number: self.size(number * 1e6))

    def rate(self, value: Any) -> str:
        """Of a second: 151/s, 9.4/s."""
        return self._as(
            value, lambda number: self.style.rate.format(_significant(number, 2 if abs(number) < 99.5 else 3))
        )

    def written(self, value: Any, unit: str) -> str:
        """A figure of the unit (a key of FORMATS); anything else as a plain number."""
        return FORMATS.get(unit, Numbers.significant)(self, value)

    def written_bar(self, value: Any, unit: str) -> str:
        """A bar, as a person sets it: 0.84 and not 0.840, at most four digits."""
        number = finite(value)
        if number is None:
            return self.style.no_data
        if unit in ("share", "number"):
            return _signed(f"{number:.4g}") if abs(number) >= 1e-3 or number == 0 else _significant(number)
        if unit in ("ratio", "points"):
            text = _signed(f"{number * (1 if unit == 'ratio' else 100):.4g}")
            points = self.style.point if text == "1" else self.style.points
            return (self.style.ratio if unit == "ratio" else points).format(text)
        return self.written(number, unit)

    def interval(self, bounds: Sequence[Any] | None, unit: str) -> str:
        """0.839-0.864; "to" between bounds of which one is negative; empty where there is no interval."""
        if bounds is None or len(bounds) != 2 or finite(bounds[0]) is None or finite(bounds[1]) is None:
            return ""
        low, high = self.written(bounds[0], unit), self.written(bounds[1], unit)
        (low_number, low_unit), (high_number, high_unit) = _apart(low), _apart(high)
        if low_unit != high_unit:
            return f"{low}{self.style.to}{high}"
        return f"{low_number}{self.style.to if MINUS in low + high else self.style.dash}{high_number}"

    def with_interval(self, value: Any, bounds: Sequence[Any] | None, unit: str) -> str:
        """0.852 (0.839-0.864); no interval of no width."""
        within = "" if bounds is not None and len(set(bounds)) == 1 else self.interval(bounds, unit)
        return f"{self.written(value, unit)} ({within})" if within else self.written(value, unit)


def _apart(text: str) -> tuple[str, str]:
    """A written number and its unit: "4.1 ms", "11%", "3.9x"."""
    number = text.rstrip("x%").partition(" ")[0]
    return number, text[len(number) :]


# How a figure of each unit is written.
FORMATS: dict[str, Callable[[Numbers, Any], str]] = {
    "share": Numbers.share,
    "percent": Numbers.percent,
    "points": Numbers.points,
    "count": Numbers.count,
    "rows": Numbers.rows,
    "operators": Numbers.operators,
    "ratio": Numbers.ratio,
    "ms": Numbers.milliseconds,
    "s": Numbers.duration,
    "bytes": Numbers.size,
    "MB": Numbers.megabytes,
    "rps": Numbers.rate,
    "number": Numbers.significant,
}
