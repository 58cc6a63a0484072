from __future__ import annotations

import csv
from collections import Counter

import pytest

from modelyard.demo.spoken_forms import chinese, english, english_year, ordinal, spoken_forms, write_spoken_forms


@pytest.mark.parametrize(
    ("number", "words", "numerals"),
    [
        (0, "zero", "零"),
        (12, "twelve", "十二"),
        (110, "one hundred and ten", "一百一十"),
        (1002, "one thousand and two", "一千零二"),
        (2222, "two thousand two hundred and twenty-two", "两千二百二十二"),
        (10_010, "ten thousand and ten", "一万零一十"),
        (20_500, "twenty thousand five hundred", "两万零五百"),
        (105_000, "one hundred and five thousand", "十万五千"),
        (999_999, "nine hundred and ninety-nine thousand nine hundred and ninety-nine", "九十九万九千九百九十九"),
    ],
)
def test_numbers_as_they_are_said(number, words, numerals):
    assert english(number) == words
    assert chinese(number) == numerals


def test_days_and_years_as_they_are_said():
    assert [ordinal(day) for day in (1, 12, 20, 23, 31)] == [
        "first",
        "twelfth",
        "twentieth",
        "twenty-third",
        "thirty-first",
    ]
    years = {1900: "nineteen hundred", 1905: "nineteen oh five", 2000: "two thousand", 2007: "two thousand and seven"}
    assert {year: english_year(year) for year in years} == years
    assert english_year(2019) == "twenty nineteen"


def test_numerals_say_each_number_differently():
    for form in (english, chinese):
        assert len({form(number) for number in range(100_000)}) == 100_000


def test_requests_are_all_different_and_say_what_they_ask_for():
    rows = spoken_forms(2000)
    assert len({text for text, *_ in rows}) == 2000
    assert rows == spoken_forms(2000)
    assert Counter(kind for *_, kind, _ in rows).keys() == {"number", "date", "time", "money"}
    for text, target, _, direction in rows:
        given, asked = direction.split(" to ")
        assert text.startswith(f"{asked}: ")
        assert any(character.isdigit() for character in target) == (asked == "digits")
        assert any(character.isdigit() for character in text) == (given == "digits")


def test_they_are_written_as_csv(tmp_path):
    assert write_spoken_forms(tmp_path / "forms.csv", 300) == 300
    with (tmp_path / "forms.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 300
    assert list(rows[0]) == ["text", "target", "kind", "direction"]
