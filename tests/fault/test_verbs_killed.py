"""kill -9 while a verb works on plain paths: nothing is at its output until all is, and the same command goes on."""

from __future__ import annotations

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from modelyard.chain.alone import run_alone
from modelyard.chain.project import load_project
from tests.fault.project import wrong_objects
from tests.rows import cut_small

pytestmark = pytest.mark.e2e

# The command line, with small parts, so that there is something to go on from in a small file.
COMMAND = """
import sys
from modelyard.stages.ingest import ingest
from modelyard.stages.ingest.text_files import delimited
delimited.BATCH_ROWS = 125
sys.modules[ingest.__module__].PART_CHARACTERS = 1
from modelyard.cli import group
group()
"""
ROWS, PARTS, LIMIT_S = 2_000, 16, 120.0


def started(verb: str, source: Path, out: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", COMMAND, verb, str(source), "--out", str(out), "--threads", "1"]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2])


def kill_when(there: str, verb: str, source: Path, out: Path) -> None:
    """Killed as soon as a file below `.OUT.work` matches: at the same place on any machine, give or take."""
    process = started(verb, source, out)
    until = time.monotonic() + LIMIT_S
    while not next(out.with_name(f".{out.name}.work").glob(there), None):
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until
        time.sleep(0.002)
    process.kill()
    process.communicate()


def contents(folder: Path) -> dict[Path, bytes]:
    return {path.relative_to(folder): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize(("verb", "part"), [("clean", "clean/{}.arrow"), ("split", "split/tie-1/{}.arrow")])
def test_a_verb_that_is_killed_writes_what_an_unbroken_one_writes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str, part: str
) -> None:
    """Once at a random part of the stage, once while the folder is written."""
    generator = random.Random(verb)
    source, out = tmp_path / "rows.csv", tmp_path / "out"
    with source.open("w") as file:
        file.write("text,label\n")
        for number in range(ROWS):
            text = " ".join(str(generator.randrange(10_000)) for _ in range(20))
            file.write(f"same  {number // 40 if number % 40 < 2 else text},{'ab'[number % 2]}\n")
    for there in (part.format(generator.randrange(1, PARTS)), f"folder/data/train-{generator.randrange(PARTS):05d}*"):
        kill_when(there, verb, source, out)
        assert not out.exists()
        assert wrong_objects(tmp_path / ".out.work") == []
    process = started(verb, source, out)
    _, said = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, said
    assert f"{verb} was done when a try before this one broke off" in said
    assert list(tmp_path.glob(".*")) == []

    cut_small(monkeypatch, part=1, batch=125)
    run_alone(verb, [source], tmp_path / "unbroken", load_project(tmp_path, read_file=False), threads=1)
    assert contents(out) == contents(tmp_path / "unbroken")
