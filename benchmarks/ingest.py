"""Ingest of one CSV beside `datasets.load_dataset` and a plain Polars script: MB/s and peak resident memory.

    python benchmarks/ingest.py --json [--quick | --gigabytes G] [--rounds N]
    python benchmarks/ingest.py --stages --gigabytes 5 --results big.json

What runs, each in a fresh process, the sides in turn, the order turned round every round:

- `modelyard`: `modelyard ingest FILE --out DIR` as a user types it. Encoding and dialect are found out, every row is
  validated and gets its row_id, twins are counted, and a self-contained Hugging Face folder is written.
- `modelyard store`: the same stage as `modelyard run` calls it: content-addressed parts, no folder written.
- `datasets`: `load_dataset("csv", data_files=FILE)` with an empty cache: CSV to Arrow, nothing checked.
- `polars`: `scan_csv(FILE).sink_parquet(...)`: CSV to Parquet, nothing checked. The floor of what reading costs.

Ratios are those of a round, peer over ours: above 1 we are faster, or need less memory; low and high are those of the
rounds. The file is composed (see text_corpus.py) and was just read, so it comes from memory, not from the disk.

`--stages` measures ours alone instead, on the same file: ingest, clean and split on plain paths, then the chain up to
split in a project. `--results FILE` keeps every measurement as it is made; the same command goes on behind them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict
from functools import partial
from importlib.metadata import version
from pathlib import Path
from typing import Any

from measured import Measured, measure
from text_corpus import COMPOSED, write_corpus

from modelyard.environment import environment

SIDES = ("modelyard", "modelyard store", "datasets", "polars")
PEERS = {"datasets": "datasets.load_dataset", "polars": "Polars scan_csv, sink_parquet"}
STORE = """
import sys
from pathlib import Path
from modelyard.run import Run
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.store import Store
ingest(Path(sys.argv[1]), IngestConfig(), Run(Store(Path(sys.argv[2]))))
"""
DATASETS = """
import sys
from datasets import load_dataset
rows = load_dataset("csv", data_files=sys.argv[1], cache_dir=sys.argv[2], split="train")
assert rows.num_rows, rows
"""
POLARS = """
import sys
import polars
polars.scan_csv(sys.argv[1]).sink_parquet(sys.argv[2] + "/rows.parquet")
"""


def command(side: str, file: Path, folder: Path) -> list[str | Path]:
    if side == "modelyard":
        return [sys.executable, "-m", "modelyard", "ingest", file, "--out", folder / "out"]
    script = {"modelyard store": STORE, "datasets": DATASETS, "polars": POLARS}[side]
    return [sys.executable, "-c", script, file, folder]


def stages(file: Path, work: Path) -> list[tuple[str, list[str | Path], Path]]:
    """(name, command, folder whose disk is watched), in the order in which one needs the other's output."""
    modelyard: list[str | Path] = [sys.executable, "-m", "modelyard"]
    chain = [*modelyard, "run", "--config", work / "project" / "modelyard.yaml"]
    return [
        ("ingest", [*modelyard, "ingest", file, "--out", work / "ingest" / "out"], work / "ingest"),
        ("clean", [*modelyard, "clean", work / "ingest" / "out", "--out", work / "clean" / "out"], work / "clean"),
        ("split", [*modelyard, "split", work / "clean" / "out", "--out", work / "split" / "out"], work / "split"),
        *((f"run --to {stage}", [*chain, "--to", stage], work / "project") for stage in ("ingest", "clean", "split")),
    ]


class Kept:
    """Measurements by key, in a JSON file when there is one; what is there is not measured again."""

    def __init__(self, path: Path | None, corpus: dict[str, Any]) -> None:
        self._path = path
        self._content: dict[str, Any] = {"corpus": corpus, "machine": machine(), "measured": {}}
        if path is not None and path.exists():
            found = json.loads(path.read_bytes())
            if found["corpus"] == corpus:
                self._content["measured"] = found["measured"]

    def get(self, key: str, make: Callable[[], Measured]) -> dict[str, Any]:
        measured: dict[str, Any] = self._content["measured"]
        if key not in measured:
            made = make()
            speed = self._content["corpus"]["bytes"] / 1e6 / made.seconds
            measured[key] = {name: round(value, 3) for name, value in ({"mb_per_s": speed} | asdict(made)).items()}
            if self._path is not None:
                new = self._path.with_suffix(".new")
                new.write_text(json.dumps(self._content, indent=2) + "\n")
                new.replace(self._path)
            print(f"{key}: {json.dumps(measured[key])}", file=sys.stderr)
        found: dict[str, Any] = measured[key]
        return found


def machine() -> dict[str, Any]:
    shown: dict[str, Any] = environment()
    shown["libraries"] = {name: version(name) for name in ("modelyard", "polars", "pyarrow", "datasets")}
    return shown


def compare(file: Path, work: Path, kept: Kept, rounds: int) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Ratios, and the medians that they come from."""
    measured: dict[str, list[dict[str, Any]]] = {side: [] for side in SIDES}
    for turn in range(rounds):
        for side in SIDES if turn % 2 == 0 else reversed(SIDES):
            folder = work / "side"
            folder.mkdir()
            run = partial(one, command(side, file, folder), folder)
            measured[side].append(kept.get(f"{side}, round {turn + 1}", run))
            shutil.rmtree(folder)
    results = []
    for ours in SIDES[:2]:
        for peer, name in PEERS.items():
            for unit, key in (("MB/s", "seconds"), ("peak RSS", "peak_rss_mb"), ("peak anonymous RSS", "peak_anon_mb")):
                ratios = [theirs[key] / own[key] for theirs, own in zip(measured[peer], measured[ours], strict=True)]
                results.append(
                    {
                        "claim": f"ingest of a CSV ({ours}), {unit}",
                        "peer": name,
                        "ratio": round(statistics.median(ratios), 3),
                        "low": round(min(ratios), 3),
                        "high": round(max(ratios), 3),
                        "unit": unit,
                    }
                )
    medians = {
        side: {key: round(statistics.median(run[key] for run in runs), 3) for key in runs[0]}
        for side, runs in measured.items()
    }
    return results, medians


def one(run: list[str | Path], watched: Path) -> Measured:
    quiet = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_DISABLE_PROGRESS_BARS": "1"}
    return measure(run, watched, cwd=watched, env=quiet)


def measure_stages(file: Path, work: Path, kept: Kept) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for name, run, folder in stages(file, work):
        folder.mkdir(parents=True, exist_ok=True)
        settings = folder / "modelyard.yaml"
        if name.startswith("run"):
            # Relative paths in it are the file's own place.
            settings.write_text(f"data: {json.dumps(str(file.resolve()))}\ntask: text_classification\n")
        made[name] = kept.get(name, partial(one, run, folder))
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description="Ingest beside datasets.load_dataset and Polars.")
    parser.add_argument("--json", action="store_true", help="one JSON object on stdout")
    parser.add_argument("--quick", action="store_true", help="0.05 GB, 2 rounds")
    parser.add_argument("--gigabytes", type=float, help="10^9 bytes of the composed file [0.2]")
    parser.add_argument("--rounds", type=int, help="[3]")
    parser.add_argument("--stages", action="store_true", help="measure our stages instead of comparing")
    parser.add_argument("--results", type=Path, help="a JSON file that is kept and gone on with")
    parser.add_argument("--work", type=Path, help="a folder for the file and all outputs, kept [a temporary one]")
    given = parser.parse_args()
    gigabytes = given.gigabytes or (0.05 if given.quick else 0.2)
    with tempfile.TemporaryDirectory(prefix="modelyard-benchmark-", dir=given.work and given.work.parent) as temporary:
        work = (given.work or Path(temporary)).resolve()
        work.mkdir(exist_ok=True)
        file = work / "corpus.csv"
        corpus = {"composed": COMPOSED, **asdict(write_corpus(file, int(gigabytes * 1e9)))}
        kept = Kept(given.results, corpus)
        answer: dict[str, Any] = {"results": [], "machine": machine(), "corpus": corpus}
        if given.stages:
            answer["measured"] = measure_stages(file, work, kept)
        else:
            answer["results"], answer["measured"] = compare(file, work, kept, given.rounds or (2 if given.quick else 3))
    if given.json:
        print(json.dumps(answer, indent=2))
    else:
        for side, figures in answer["measured"].items():
            print(f"{side:16}", "  ".join(f"{key} {value:,.1f}" for key, value in figures.items()))
        for result in answer["results"]:
            print("{claim}: {ratio:.2f} ({low:.2f}-{high:.2f}) beside {peer}".format(**result))


if __name__ == "__main__":
    main()
