"""kill -9 while a file or a folder of pictures is read: the next run goes on behind whole parts, to the same rows."""

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
from tests.pictures import box, encoded, write, write_coco

# Small parts, so that there is something to go on from in a file of a few MB.
APART = """
import json, sys
from pathlib import Path
from modelyard.run import Run, Silent
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.ingest.picture_folders import pictures
from modelyard.stages.ingest.text_files import delimited
from modelyard.store import Store

delimited.BATCH_ROWS = 100
pictures.MEDIA_ROWS = 20
sys.modules[ingest.__module__].PART_CHARACTERS = 40_000

class Tells(Silent):
    def progress(self, label, done, total, note=""):
        if done <= 1:
            print(label, done, flush=True)
    def say(self, message):
        if "goes on" in message:
            print(message, flush=True)

dataset = ingest(Path(sys.argv[1]), IngestConfig(task=sys.argv[3]), Run(Store(Path(sys.argv[2])), Tells()))
print(json.dumps({"digest": dataset.digest, "parts": len(dataset.parts), "rows": dataset.rows()}))
"""


def ingest_apart(source: Path, task: str, store: Path, kill_after: float | None = None) -> tuple[int, list[str], float]:
    """(exit code, what it printed, seconds of work) of a process, killed so long after it began to read."""
    command = [sys.executable, "-c", APART, str(source), str(store), task]
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


def goes_on_to_the_same(source: Path, task: str, rows: int, folder: Path, generator: random.Random) -> None:
    """Killed four times, then left alone: the Dataset of an ingest that nothing disturbs, in `folder`."""
    code, told, seconds = ingest_apart(source, task, folder / "one")
    unbroken = json.loads(told[-1])
    assert (code, unbroken["rows"]) == (0, rows)
    assert unbroken["parts"] > 20
    went_on = 0
    for _ in range(4):
        kill_after = generator.uniform(0.1, 0.5) * seconds
        code, told, _ = ingest_apart(source, task, folder / "two" / "store", kill_after)
        went_on += any("goes on behind" in line for line in told)
        assert code in (-signal.SIGKILL, 0)
        assert wrong_objects(folder / "two") == []
    code, told, _ = ingest_apart(source, task, folder / "two" / "store")
    assert code == 0
    assert json.loads(told[-1]) == unbroken
    assert any("goes on behind" in line for line in told)
    assert went_on > 0


@pytest.mark.e2e
def test_ingest_that_is_killed_again_and_again_goes_on_to_the_same_dataset(tmp_path: Path) -> None:
    generator = random.Random(4)
    source = tmp_path / "a.csv"
    with source.open("w") as file:
        file.write("text,label\n")
        for number in range(15_000):
            file.write(f'"text {number // 3}, {"word " * generator.randrange(40)}",{"good" if number % 2 else "bad"}\n')
    goes_on_to_the_same(source, "text_classification", 15_000, tmp_path, generator)


@pytest.mark.e2e
def test_a_folder_of_pictures_that_is_killed_again_and_again_goes_on_to_the_same_dataset(tmp_path: Path) -> None:
    scenes = {f"{number:04d}.png": [box()] if number % 3 else [] for number in range(1000)}
    folder = write_coco(tmp_path / "data", scenes)
    write(folder / "0007.png", "no picture")
    for twin in range(900, 950):  # behind what a kill leaves, the same pictures as before it
        write(folder / f"{twin:04d}.png", encoded(twin - 890))
    goes_on_to_the_same(folder, "detection", 999, tmp_path, random.Random(5))
