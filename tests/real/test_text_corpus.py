"""The composed corpus is what it says it is: the measurements rest on it."""

from __future__ import annotations

import csv
import hashlib
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
SCRIPT = Path(__file__).parents[2] / "benchmarks" / "text_corpus.py"


def compose(path: Path, *options: str) -> dict[str, Any]:
    done = subprocess.run([sys.executable, SCRIPT, path, *options], capture_output=True, text=True, check=True)
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    path = tmp_path_factory.mktemp("corpus") / "corpus.csv"
    return path, compose(path, "--gigabytes", "0.012", "--twins", "0.1")


def test_what_it_prints_is_what_the_file_holds(corpus: tuple[Path, dict[str, Any]]) -> None:
    path, said = corpus
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    texts = [row["text"] for row in rows]
    assert "composed" in said["composed"]
    assert said["rows"] == len(rows)
    assert 12_000_000 <= said["bytes"] == path.stat().st_size < 12_004_000
    assert said["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
    assert said["twins"] == len(rows) - len(set(texts))
    assert said["twins"] / len(rows) == pytest.approx(0.1, abs=0.01)
    assert said["damaged"] == sum("\x0b" in text for text in texts)
    assert 900 < sum(map(len, texts)) / len(texts) < 1200


def test_a_twin_keeps_its_label(corpus: tuple[Path, dict[str, Any]]) -> None:
    with corpus[0].open(newline="", encoding="utf-8") as file:
        rows = [tuple(row) for row in csv.reader(file)]
    assert len(set(rows)) == len({row[0] for row in rows})


def test_the_seed_decides_every_byte(corpus: tuple[Path, dict[str, Any]], tmp_path: Path) -> None:
    again = compose(tmp_path / "again.csv", "--gigabytes", "0.012", "--twins", "0.1")
    other = compose(tmp_path / "other.csv", "--gigabytes", "0.012", "--twins", "0.1", "--seed", "1")
    assert again["sha256"] == corpus[1]["sha256"] != other["sha256"]
