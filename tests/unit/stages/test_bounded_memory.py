"""Clean, split and writing the folder hold one part in memory, however many there are."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa

from modelyard.store import Column, Dataset, Store
from modelyard.store.dataset import ROW_ID_TYPE

ROWS, BYTES = 2_500, 1_000  # of a part, of a text
COLUMNS = [Column("row_id", "value", "system"), Column("text", "text", "input"), Column("label", "label", "target")]
APART = """
import json, sys
from pathlib import Path
from modelyard.run import Run
from modelyard.stages.clean import CleanConfig, clean
from modelyard.stages.split import SplitConfig, split
from modelyard.store import Store
from modelyard.store.materialize import materialize

def peak():  # not ru_maxrss, which a process inherits from the one that started it
    return next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM")) / 1024

run = Run(Store(Path(sys.argv[1])), threads=1)
cleaned = clean(run.store.dataset(sys.argv[2]), CleanConfig(), run)
peaks = {"clean": peak()}
divided = split(cleaned, SplitConfig(), run)
peaks["split"] = peak()
materialize(divided, Path(sys.argv[1]) / "out")
peaks["materialize"] = peak()
print(json.dumps({"rows": run.figures["rows_out"].value, **peaks}))
"""


def write_parts(store: Store, count: int) -> Dataset:
    """Random letters, a twin in every hundred rows."""
    random = np.random.default_rng(count)
    letters = np.frombuffer(b"abcdefghijklmnopqrstuvwxyz", np.uint8)
    writer = store.new_dataset(COLUMNS)
    for _ in range(count):
        signs = letters[random.integers(0, len(letters), (ROWS, BYTES))]
        signs[-ROWS // 100 :] = signs[: ROWS // 100]
        starts = np.arange(ROWS + 1) * BYTES
        texts = pa.LargeStringArray.from_buffers(ROWS, pa.py_buffer(starts.tobytes()), pa.py_buffer(signs.tobytes()))
        ids = np.hstack([random.integers(0, 256, (ROWS, 16), np.uint8), np.zeros((ROWS, 4), np.uint8)])
        row_ids = pa.Array.from_buffers(ROW_ID_TYPE, ROWS, [None, pa.py_buffer(ids.tobytes())])
        writer.write(pa.table({"row_id": row_ids, "text": texts, "label": pa.array(["a", "b"] * (ROWS // 2))}))
    return writer.finish()


def test_five_times_the_parts_take_no_more_memory(tmp_path: Path) -> None:
    """By the kernel's count of resident memory at its highest.

    The texts of 24 parts are 60 MB. Keys are held for a partition of rows at a time, here 14 MB.
    """
    said = []
    for count in (6, 30):
        dataset = write_parts(Store(tmp_path / str(count)), count)
        command = [sys.executable, "-c", APART, str(tmp_path / str(count)), dataset.digest]
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[3], env={"PATH": "/bin"}
        )
        assert done.returncode == 0, done.stderr
        said.append(json.loads(done.stdout))
    assert said[1]["rows"] == 5 * said[0]["rows"]
    for stage in ("clean", "split", "materialize"):
        assert said[1][stage] - said[0][stage] < 30, said
