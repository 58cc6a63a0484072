"""What training reads: streamed from the Dataset, kept in the scratch folder, gone on with after a kill."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from modelyard.errors import BadConfig
from modelyard.run import Cancelled, Run
from modelyard.stages.train.data import prepare_side, read_sides
from modelyard.store import Store
from modelyard.tasks import load_task
from modelyard.tasks.text_classification import TextClassification
from tests.unit.tiny_bert import reviews, write_parts

TASK = load_task("text_classification")


class Listens:
    """Keeps the counts of one label; asks to stop at one of them."""

    def __init__(self, label, stop_at=None):
        self.label, self.stop_at, self.heard, self.said = label, stop_at, [], []
        self.run = None

    def progress(self, label, done, total, note=""):
        if label == self.label:
            self.heard.append((done, total))
            if done == self.stop_at:
                self.run.cancelled.set()

    def say(self, message):
        self.said.append(message)

    def warn(self, message):
        self.said.append(message)


def parts(count, rows):
    """`count` parts of so many rows, the third of every ten rows for validation, the fourth for nobody."""
    made = [
        (*row, {2: "validation", 3: "test"}.get(place % 10, "train")) for place, row in enumerate(reviews(count * rows))
    ]
    return [made[start : start + rows] for start in range(0, len(made), rows)]


def listening(folder, **keys):
    listener = Listens("prepare train", **keys)
    run = Run(Store(folder), listener)
    listener.run = run
    return run, listener


def prepare(run, dataset, base, *, task=TASK, max_length=32):
    training = task.training()
    sides = read_sides(dataset, task)
    pipeline = training.pipeline(str(base), sides.labels, max_length)
    return prepare_side(dataset, "train", task, training, pipeline, sides, run, {"max_length": max_length})


def test_the_rows_of_a_side_come_in_the_order_of_the_dataset_whatever_its_parts(tiny_base, tmp_path):
    pipeline = TASK.training().pipeline(str(tiny_base), ["negative", "positive"], 32)
    rows = [row for part in parts(3, 50) for row in part]
    expected = [row for row in rows if row[2] == "train"]
    for cut in (50, 150):
        run, listener = listening(tmp_path / str(cut))
        dataset = write_parts(run.store, [rows[start : start + cut] for start in range(0, 150, cut)])
        assert read_sides(dataset, TASK).rows == {"train": 120, "validation": 15}
        prepared = prepare(run, dataset, tiny_base)
        assert prepared.targets.tolist() == [int(label == "positive") for _, label, _ in expected]
        for place, (text, _, _) in enumerate(expected):
            ids = pipeline.prepare({"text": text}).features["input_ids"]
            assert prepared.item(place).features["input_ids"].tolist() == ids.tolist()
        assert listener.heard[0] == (0, 120)
        assert listener.heard[-1] == (120, 120)


def test_a_stopped_run_goes_on_behind_the_last_whole_part(tiny_base, tmp_path):
    run, listener = listening(tmp_path, stop_at=80)
    dataset = write_parts(run.store, parts(3, 50))
    with pytest.raises(Cancelled):
        prepare(run, dataset, tiny_base)
    again, listener = listening(tmp_path)
    rows = prepare(again, dataset, tiny_base)
    assert listener.heard == [(80, 120), (120, 120)]
    assert np.array_equal(
        rows.item(119).features["input_ids"], prepare(again, dataset, tiny_base).item(119).features["input_ids"]
    )
    assert listener.heard[2:] == [(120, 120)]


def test_another_length_is_prepared_anew(tiny_base, tmp_path):
    run, listener = listening(tmp_path)
    dataset = write_parts(run.store, parts(1, 50))
    long = prepare(run, dataset, tiny_base)
    short = prepare(run, dataset, tiny_base, max_length=6)
    assert int(long.sizes.max()) > 6 == int(short.sizes.max())
    assert short.truncated == int((long.sizes > 6).sum())
    assert "other data or settings" in listener.said[0]


class Pairs(TextClassification):
    """A task of two requests a row."""

    def items(self, rows):
        return [row for row in rows for _ in range(2)]


def test_a_task_of_two_requests_a_row_cannot_be_trained_on(tiny_base, tmp_path):
    run, _ = listening(tmp_path)
    with pytest.raises(BadConfig, match="stands for 2 requests"):
        prepare(run, write_parts(run.store, parts(1, 50)), tiny_base, task=Pairs())


APART = """
import json, os, signal, sys
from pathlib import Path
from modelyard.run import Run, Silent
from modelyard.stages.train.data import prepare_side, read_sides
from modelyard.store import Store
from modelyard.tasks import load_task

store, digest, base, kill_at = sys.argv[1:]

class Kills(Silent):
    def progress(self, label, done, total, note=""):
        if label == "prepare train" and done == int(kill_at):
            os.kill(os.getpid(), signal.SIGKILL)
        said.append(done)

said = []
run = Run(Store(Path(store)), Kills(), threads=1)
dataset, task = run.store.dataset(digest), load_task("text_classification")
training, sides = task.training(), read_sides(dataset, task)
pipeline = training.pipeline(base, sides.labels, 64)
rows = prepare_side(dataset, "train", task, training, pipeline, sides, run, {})
# Not ru_maxrss, which a process inherits from the one that started it.
peak = next(int(line.split()[1]) for line in open("/proc/self/status") if line.startswith("VmHWM"))
print(json.dumps({"first": said[0], "rows": len(rows), "tokens": int(rows.starts[-1]), "peak_kb": peak}))
"""


def prepare_apart(dataset, base, kill_at=-1):
    """In a process of its own, which kills itself when so many rows are prepared."""
    command = [sys.executable, "-c", APART, str(dataset.store.root), dataset.digest, str(base), str(kill_at)]
    folder = Path(__file__).parents[4]
    environment = {"TOKENIZERS_PARALLELISM": "false", "PATH": "/usr/bin:/bin"}
    return subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=folder, env=environment)


def test_a_killed_process_leaves_its_parts_to_the_next_one(tiny_base, tmp_path):
    dataset = write_parts(Store(tmp_path), parts(4, 50))
    assert prepare_apart(dataset, tiny_base, kill_at=120).returncode == -signal.SIGKILL
    resumed = json.loads(prepare_apart(dataset, tiny_base).stdout)
    assert (resumed["first"], resumed["rows"]) == (80, 160)


def test_five_times_the_rows_take_no_more_memory(tiny_base, tmp_path):
    """By the kernel's count of resident memory at its highest; with all rows in memory it was 82 MB more."""
    part = [(f"{text} and it was long" * 8, label, side) for text, label, side in parts(1, 4000)[0]]
    peaks, tokens = [], []
    for count in (2, 10):
        dataset = write_parts(Store(tmp_path / str(count)), [part] * count)
        answer = json.loads(prepare_apart(dataset, tiny_base).stdout)
        peaks.append(answer["peak_kb"] / 1024)
        tokens.append(answer["tokens"])
    assert tokens[1] == 5 * tokens[0] > 2_000_000
    assert peaks[1] - peaks[0] < 12
