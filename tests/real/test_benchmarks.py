"""The benchmarks run as documented and answer in the shape that is promised. How fast anything is, is not asserted."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.e2e
BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


def run(*words: str | Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, BENCHMARKS / "ingest.py", "--json", *words], capture_output=True, text=True, timeout=600
    )
    assert not done.returncode, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def test_ingest_beside_its_peers_answers_ratios_with_their_spread(tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    small = ("--quick", "--gigabytes", "0.004", "--rounds", "1", "--results", kept)
    answer = run(*small)
    assert {"cpu", "cpu_flags", "cores", "libraries"} <= answer["machine"].keys()
    assert answer["corpus"]["twins"] > 0
    for result in answer["results"]:
        assert result.keys() == {"claim", "peer", "ratio", "low", "high", "unit"}
        assert 0 < result["low"] <= result["ratio"] <= result["high"]
    assert {result["peer"] for result in answer["results"]} == {
        "datasets.load_dataset",
        "Polars scan_csv, sink_parquet",
    }
    for side, figures in answer["measured"].items():
        assert figures["seconds"] > 0, side
        assert 20 < figures["peak_anon_mb"] <= figures["peak_rss_mb"], side
        assert figures["disk_mb"] > 0, side
    assert run(*small)["measured"] == answer["measured"]  # kept, not measured again


def test_the_stages_of_a_file_are_measured_one_by_one(tmp_path: Path) -> None:
    answer = run("--stages", "--gigabytes", "0.004", "--work", tmp_path / "work")
    assert list(answer["measured"]) == [
        "ingest",
        "clean",
        "split",
        "run --to ingest",
        "run --to clean",
        "run --to split",
    ]
    assert all(figures["peak_disk_mb"] > 0 for figures in answer["measured"].values())
