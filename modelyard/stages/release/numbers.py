"""Numbers as people read them: 0.852 (0.839-0.864), 4.1 ms, 23 MB, 3 min 20 s; "no data" for what is not there.

Sizes are decimal (1 MB = 1,000,000 bytes). Everything here takes None, NaN and infinity, and answers NO_DATA.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

NO_DATA = "no data"
MINUS = "\u2212"


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


def significant(value: Any, digits: int = 2) -> str:
    """`digits` significant digits, thousands grouped; powers of ten below 0.001: 1.1e-6."""
    number = finite(value)
    if number is None:
        return NO_DATA
    if number == 0:
        return "0"
    size = math.floor(math.log10(abs(float(f"{number:.{digits - 1}e}"))))
    if size < -3:
        mantissa, _, exponent = f"{number:.{digits - 1}e}".partition("e")
        mantissa = mantissa.rstrip("0").rstrip(".") if "." in mantissa else mantissa
        return _signed(f"{mantissa}e{int(exponent)}").replace("e-", f"e{MINUS}")
    return _signed(f"{number:,.{max(0, digits - 1 - size)}f}")


def share(value: Any) -> str:
    """A share or a score with three decimals: 0.852."""
    number = finite(value)
    return NO_DATA if number is None else _signed(f"{number:.3f}")


def percent(value: Any) -> str:
    """A share in per cent: 11 %, 4.2 %, 0.30 %."""
    number = finite(value)
    if number is None:
        return NO_DATA
    hundred = number * 100
    if hundred == 0 or abs(hundred) >= 9.95:
        return _signed(f"{hundred:.0f}") + " %"
    return significant(hundred, 2) + " %"


def count(value: Any) -> str:
    """4,790."""
    number = finite(value)
    return NO_DATA if number is None else _signed(f"{number:,.0f}")


def ratio(value: Any) -> str:
    """3.9x."""
    number = finite(value)
    return NO_DATA if number is None else significant(number, 2 if abs(number) < 10 else 3) + "x"


def milliseconds(value: Any) -> str:
    """Of milliseconds: 4.1 ms, 0.35 ms, 12.7 ms, 128 ms, 2.3 s."""
    number = finite(value)
    if number is None:
        return NO_DATA
    if abs(number) >= 1000:
        return duration(number / 1000)
    if abs(number) < 9.95:
        return significant(number, 2) + " ms"
    return _signed(f"{number:.1f}" if abs(number) < 99.95 else f"{number:.0f}") + " ms"


def duration(value: Any) -> str:
    """Of seconds: 0.4 s, 12 s, 3 min 20 s, 1 h 5 min."""
    number = finite(value)
    if number is None:
        return NO_DATA
    if abs(number) < 9.95:
        return (significant(number, 2) if abs(number) < 0.1 else _signed(f"{number:.1f}")) + " s"
    seconds = round(abs(number))
    sign = MINUS if number < 0 else ""
    if seconds < 60:
        return f"{sign}{seconds} s"
    if seconds < 3600:
        return f"{sign}{seconds // 60} min" + (f" {seconds % 60} s" if seconds % 60 else "")
    minutes = round(seconds / 60)
    return f"{sign}{minutes // 60} h" + (f" {minutes % 60} min" if minutes % 60 else "")


def size(value: Any) -> str:
    """Of bytes: 23 MB, 1.2 GB, 912 kB."""
    number = finite(value)
    if number is None:
        return NO_DATA
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(number) >= 0.9995 * factor:
            scaled = number / factor
            return significant(scaled, 2 if abs(scaled) < 99.5 else 3) + f" {unit}"
    return f"{number:.0f} bytes"


def megabytes(value: Any) -> str:
    """Of megabytes (10^6 bytes): 121 MB, 1.2 GB."""
    number = finite(value)
    return NO_DATA if number is None else size(number * 1e6)


def rate(value: Any) -> str:
    """Of a second: 151/s, 9.4/s."""
    number = finite(value)
    return NO_DATA if number is None else significant(number, 2 if abs(number) < 99.5 else 3) + "/s"


# How a figure of each unit is written.
FORMATS: dict[str, Callable[[Any], str]] = {
    "share": share,
    "percent": percent,
    "count": count,
    "ratio": ratio,
    "ms": milliseconds,
    "s": duration,
    "bytes": size,
    "MB": megabytes,
    "rps": rate,
    "number": significant,
}


def written(value: Any, unit: str) -> str:
    """A figure of the unit (a key of FORMATS); anything else as a plain number."""
    return FORMATS.get(unit, significant)(value)


def written_bar(value: Any, unit: str) -> str:
    """A bar, as a person sets it: 0.84 and not 0.840, at most four digits."""
    number = finite(value)
    if number is None:
        return NO_DATA
    if unit in ("share", "number"):
        return _signed(f"{number:.4g}") if abs(number) >= 1e-3 or number == 0 else significant(number)
    if unit == "ratio":
        return f"{number:.4g}x"
    return written(number, unit)


def interval(bounds: Sequence[Any] | None, unit: str) -> str:
    """0.839-0.864; "to" between bounds of which one is negative; empty where there is no interval."""
    if bounds is None or len(bounds) != 2 or finite(bounds[0]) is None or finite(bounds[1]) is None:
        return ""
    low, high = written(bounds[0], unit), written(bounds[1], unit)
    low_number, _, low_unit = low.partition(" ")
    high_number, _, high_unit = high.partition(" ")
    if low_unit != high_unit:
        return f"{low} to {high}"
    between = " to " if MINUS in low + high else "-"
    return f"{low_number.removesuffix('x')}{between}{high_number.removesuffix('x')}"


def with_interval(value: Any, bounds: Sequence[Any] | None, unit: str) -> str:
    """0.852 (0.839-0.864); no interval of no width."""
    within = "" if bounds is not None and len(set(bounds)) == 1 else interval(bounds, unit)
    return f"{written(value, unit)} ({within})" if within else written(value, unit)
