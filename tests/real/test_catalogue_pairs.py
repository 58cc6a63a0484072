"""Real pairs of sentences, from the catalogues of programs: the chain says plainly how a small new model does on them.

The wheels are not fetched here: `python -m modelyard.demo.catalogues pairs.csv` brings them into the user's cache.
"""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from modelyard.demo.catalogues import WHEELS, write_sentence_pairs
from modelyard.training.downloads import cache_folder
from tests.real.command import modelyard, reported

pytestmark = [pytest.mark.e2e, pytest.mark.slow]

ROWS = 2000


def test_the_report_holds_the_model_against_a_translation_memory_whichever_is_better(tmp_path: Path) -> None:
    missing = [wheel.file for wheel in WHEELS if not (cache_folder() / wheel.sha256[:16] / wheel.file).is_file()]
    if missing:
        pytest.skip(f"{missing[0]} is not in the cache: python -m modelyard.demo.catalogues pairs.csv")
    assert write_sentence_pairs(tmp_path / "all.csv") == 12_241
    with (tmp_path / "all.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    with (tmp_path / "pairs.csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([rows[0], *rows[1 :: len(rows) // ROWS]])
    (tmp_path / "modelyard.yaml").write_text(
        "name: sentences\ntask: seq2seq\ndata: pairs.csv\n"
        "train: {base: t5-nano, epochs: 2}\n"
        "optimize: {requests: 20, load_seconds: 2}\n"
        "evaluate: {requests: 20, load_seconds: 3, resamples: 200}\n"
    )
    code, answer, stderr = modelyard(tmp_path, "run", "--threads", "1")
    assert code == 0, stderr
    figures = reported(answer)
    memory = figures["chrf"]["value"] - figures["chrf_over_baseline"]["value"]
    assert memory > 0.1  # programs say much alike
    assert figures["chrf"]["value"] < memory  # two epochs from nothing make no translator, and the report says so
    assert figures["chrf_over_baseline"]["passed"] is False
    assert figures["parity_sequences"]["value"] >= 0.99
