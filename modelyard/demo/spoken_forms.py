"""Numbers, dates, times and sums of money in three forms: digits, English and Chinese words. Every row is composed.

What speech recognition and speech synthesis write to and fro. The forms follow one set of rules (British `and`, 24
hours, Chinese numerals with 零 and 两), so there is one right answer to each request; nobody said these texts.
"""

from __future__ import annotations

import calendar
import csv
import datetime
import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from modelyard.store.atomic import write_bytes

SEED = 20151101
FORMS = ("digits", "English", "Chinese")
ONES = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"),
    *("thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"),
)
TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ORDINALS = {
    "one": "first",
    "two": "second",
    "three": "third",
    "five": "fifth",
    "eight": "eighth",
    "nine": "ninth",
    "twelve": "twelfth",
    "twenty": "twentieth",
    "thirty": "thirtieth",
}
NUMERALS = "零一二三四五六七八九"
PLACES = ("", "十", "百", "千")


@dataclass(frozen=True)
class Said:
    """One value in the three forms; kind: `number`, `date`, `time` or `money`."""

    kind: str
    digits: str
    english: str
    chinese: str

    def form(self, name: str) -> str:
        return {"digits": self.digits, "English": self.english, "Chinese": self.chinese}[name]


def english(number: int) -> str:
    """Words of 0 to 999,999."""
    if number < 20:
        return ONES[number]
    if number < 100:
        return TENS[number // 10] + (f"-{ONES[number % 10]}" if number % 10 else "")
    if number < 1000:
        rest = f" and {english(number % 100)}" if number % 100 else ""
        return f"{ONES[number // 100]} hundred{rest}"
    left = number % 1000
    rest = "" if not left else f" and {english(left)}" if left < 100 else f" {english(left)}"
    return f"{english(number // 1000)} thousand{rest}"


def ordinal(number: int) -> str:
    """`twenty-third` of 1 to 99."""
    head, dash, last = english(number).rpartition("-")
    return head + dash + ORDINALS.get(last, f"{last}th")


def english_year(year: int) -> str:
    """1900 to 2099 as it is said: in pairs, but for the first years of a century."""
    if year % 100 == 0 and year % 1000:
        return f"{english(year // 100)} hundred"
    if 2000 <= year < 2010:
        return english(year)
    last = english(year % 100) if year % 100 >= 10 else f"oh {english(year % 100)}"
    return f"{english(year // 100)} {last}"


def chinese(number: int) -> str:
    """Numerals of 0 to 999,999: 一万零五, 十二, 两千三百."""
    if number >= 10_000:
        left = number % 10_000
        rest = "" if not left else _group(left) if left >= 1000 else f"零{_group(left, inside=True)}"
        return f"{'两' if number // 10_000 == 2 else _group(number // 10_000)}万{rest}"
    return _group(number) if number else NUMERALS[0]


def _group(number: int, *, inside: bool = False) -> str:
    """1 to 9,999; 十二 at the beginning is 一十二 inside."""
    said, gap = "", False
    for place in range(3, -1, -1):
        digit = number // 10**place % 10
        if not digit:
            gap = bool(said)
            continue
        said += "零" * gap + ("两" if digit == 2 and place == 3 else NUMERALS[digit]) + PLACES[place]
        gap = False
    return said.removeprefix("一") if said.startswith("一十") and not inside else said


def _number(chance: np.random.Generator) -> Said:
    value = int(10 ** chance.uniform(0, 5))
    return Said("number", f"{value:,}", english(value), chinese(value))


def _date(chance: np.random.Generator) -> Said:
    day = datetime.date(1900, 1, 1) + datetime.timedelta(days=int(chance.integers(73_049)))
    year = "".join(NUMERALS[int(digit)] for digit in str(day.year))
    return Said(
        "date",
        day.isoformat(),
        f"the {ordinal(day.day)} of {calendar.month_name[day.month]} {english_year(day.year)}",
        f"{year}年{chinese(day.month)}月{chinese(day.day)}日",
    )


def _time(chance: np.random.Generator) -> Said:
    hour, minute = int(chance.integers(24)), int(chance.integers(1, 60))
    return Said(
        "time",
        f"{hour:02}:{minute:02}",
        f"{english(hour)} hours {english(minute)}",
        f"{_counted(hour)}点{'零' if minute < 10 else ''}{chinese(minute)}分",
    )


def _counted(number: int) -> str:
    return "两" if number == 2 else chinese(number)


def _money(chance: np.random.Generator) -> Said:
    value, cents = int(10 ** chance.uniform(0, 3)), int(chance.integers(1, 100))
    dimes = "".join(f"{NUMERALS[digit]}{unit}" for digit, unit in ((cents // 10, "角"), (cents % 10, "分")) if digit)
    return Said(
        "money",
        f"¥{value:,}.{cents:02}",
        f"{english(value)} yuan and {english(cents)} cents",
        f"{_counted(value)}元{'零' if cents < 10 else ''}{dimes}",
    )


KINDS = (_number, _date, _time, _money)


def spoken_forms(count: int, seed: int = SEED) -> list[tuple[str, str, str, str]]:
    """(text, target, kind, direction) of so many requests, all different; the text begins with the form that is asked
    for: `Chinese: 1994-05-23`."""
    chance = np.random.Generator(np.random.PCG64(seed))
    rows: dict[str, tuple[str, str, str, str]] = {}
    while len(rows) < count:
        said = KINDS[int(chance.integers(len(KINDS)))](chance)
        given, asked = (FORMS[place] for place in chance.permutation(len(FORMS))[:2])
        text = f"{asked}: {said.form(given)}"
        rows.setdefault(text, (text, said.form(asked), said.kind, f"{given} to {asked}"))
    return list(rows.values())


def write_spoken_forms(path: Path, count: int) -> int:
    """Write text, target, kind, direction as CSV."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(["text", "target", "kind", "direction"])
    writer.writerows(spoken_forms(count))
    write_bytes(path, buffer.getvalue().encode())
    return count
