"""kill -9 while a file is read: the next run goes on behind the parts that are whole, to the same Dataset."""

from __future__ import annotations

import json
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.fault.project import wrong_objects

# Small parts, so that there is something to go on from in a file of a few MB.
APART = """
import json, sys
from pathlib import Path
from modelyard.run import Run, Silent
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.ingest import delimited, ingest as stage
from modelyard.store import Store

delimited.BATCH_ROWS = 100
sys.modules[stage.__module__].PART_CHARACTERS = 40_000

class Tells(Silent):
    def progress(self, label, done, total, note=""):
        if done <= 1:
            print(label, done, flush=True)
    def say(self, message):
        if "goes on" in message:
            print(message, flush=True)

dataset = ingest(Path(sys.argv[1]), IngestConfig(), Run(Store(Path(sys.argv[2])), Tells()))
print(json.dumps({"digest": dataset.digest, "parts": len(dataset.parts), "rows": dataset.rows()}))
"""


def ingest_apart(source: Path, store: Path, kill_after: float | None = None) -> tuple[int, list[str], float]:
    """(exit code, what it printed, seconds of work) of a process, killed so long after it began to read."""
    command = [sys.executable, "-c", APART, str(source), str(store)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])
    assert process.stdout is not None
    told = []
    for line in process.stdout:
        told.append(line.strip())
        if line.startswith("ingest 0"):
            break
    started = time.monotonic()
    if kill_after is not None:
        time.sleep(kill_after)
        process.kill()
    rest, _ = process.communicate(timeout=120)
    return process.returncode, [*told, *rest.splitlines()], time.monotonic() - started


@pytest.mark.e2e
def test_ingest_that_is_killed_again_and_again_goes_on_to_the_same_dataset(tmp_path: Path) -> None:
    generator = random.Random(4)
    source = tmp_path / "a.csv"
    with source.open("w") as file:
        file.write("text,label\n")
        for number in range(15_000):
            file.write(f'"text {number // 3}, {"word " * generator.randrange(40)}",{"good" if number % 2 else "bad"}\n')
    code, told, seconds = ingest_apart(source, tmp_path / "one")
    unbroken = json.loads(told[-1])
    assert (code, unbroken["rows"]) == (0, 15_000)
    assert unbroken["parts"] > 20
    went_on = 0
    for _ in range(4):
        code, told, _ = ingest_apart(source, tmp_path / "two" / "store", generator.uniform(0.1, 0.5) * seconds)
        went_on += any("goes on behind" in line for line in told)
        assert code in (-signal.SIGKILL, 0)
        assert wrong_objects(tmp_path / "two") == []
    code, told, _ = ingest_apart(source, tmp_path / "two" / "store")
    assert code == 0
    assert json.loads(told[-1]) == unbroken
    assert any("goes on behind" in line for line in told)
    assert went_on > 0
