"""Ingest holds one part in memory, however many rows there are: of a file, and of a folder of ours."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROWS = 10_000  # of 130 bytes
APART = """
import json, os, sys
from pathlib import Path
from modelyard.run import Run
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.store import Store, spill
from modelyard.store.materialize import materialize

os.fsync = lambda handle: None  # nothing is killed here
sys.modules[ingest.__module__].PART_CHARACTERS = 1 << 20
sys.modules["modelyard.stages.ingest.restore"].PART_BYTES = 1 << 20
spill.PARTITION_ROWS = 20_000

def peak():  # not ru_maxrss, which a process inherits from the one that started it
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

folder = Path(sys.argv[1])
store = Store(folder / "store")
dataset = ingest(folder / "a.csv", IngestConfig(), Run(store))
peaks = {"file": peak()}
materialize(dataset, folder / "out")
back = ingest(folder / "out", IngestConfig(), Run(store))
peaks["folder"] = peak()
print(json.dumps({"rows": dataset.rows(), "back": back.rows(), "parts": len(dataset.parts), **peaks}))
"""


def test_almost_four_times_the_rows_take_no_more_memory(tmp_path: Path) -> None:
    """By the kernel's count of resident memory at its highest; a dict with a key a row is 22 MB more."""
    said = []
    for count in (8, 30):
        folder = tmp_path / str(count)
        folder.mkdir()
        with (folder / "a.csv").open("w") as file:
            file.write("text,label\n")
            for row in range(count * ROWS):
                file.write(f"{row - (row % 10 == 9):>120},{'good' if row % 3 else 'bad'}\n")
        done = subprocess.run(
            [sys.executable, "-c", APART, str(folder)],
            capture_output=True,
            text=True,
            timeout=300,
            cwd=Path(__file__).parents[4],
            env={"PATH": "/bin"},
        )
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said[1]["rows"] == said[1]["back"] == 30 * ROWS
    assert said[1]["parts"] > 2 * said[0]["parts"]
    for source in ("file", "folder"):
        assert said[1][source] - said[0][source] < 16, said
