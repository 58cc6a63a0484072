"""People who fill in work files: each knows the true label of a text, and errs with a known rate, always alike."""

from __future__ import annotations

import csv
import hashlib
import random
from collections.abc import Callable, Mapping
from pathlib import Path

Answer = Callable[[str, str], str]  # the text as it is shown and the stem of the file, to a label


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8-sig", newline="") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[dict[str, str]], encoding: str = "utf-8-sig", delimiter: str = ",") -> None:
    with path.open("w", encoding=encoding, newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys(), delimiter=delimiter)
        writer.writeheader()
        writer.writerows(rows)


def plain(text: str) -> str:
    """A text without what a work file does to it, its blanks as one."""
    return " ".join((text[1:] if text[:1] == "'" and text[1:2] in "=+-@" else text).split())


def errs(truth: Mapping[str, str], rate: float) -> Answer:
    """The true label, but another one with that rate."""
    labels = sorted(set(truth.values()))

    def answer(text: str, stem: str) -> str:
        true = truth[plain(text)]
        chance = random.Random(hashlib.sha256(f"{stem} {text}".encode()).digest())
        return true if chance.random() >= rate else chance.choice([label for label in labels if label != true])

    return answer


def fill(folder: Path, people: Mapping[str, Answer], most: int | None = None) -> int:
    """Every empty label of these people's files (at most `most` a file); answers how many were filled in."""
    count = 0
    for person, answer in people.items():
        for path in sorted((folder / person).glob("*.csv")):
            rows = read_rows(path)
            for row in [row for row in rows if not row["label"]][:most]:
                row["label"] = answer(row["text"], path.stem)
                count += 1
            write_rows(path, rows)
    return count
