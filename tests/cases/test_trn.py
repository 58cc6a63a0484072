"""TRN: real reports about training and going on after a crash (ids as in the list of cases)."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from modelyard.run import Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from modelyard.training import loop as loops
from modelyard.training.checkpoint import Checkpoints
from modelyard.training.loop import Loop, Plan
from modelyard.training.rows import Rows
from modelyard.training.schedule import WarmupCosine
from tests.unit.tiny_bert import LABELS, make_base, tiny_reviews

SAMPLES, EPOCHS, STEPS = 10, 2, 10
SETTINGS = {"epochs": EPOCHS, "batch_size": 2, "base_lr": 0.16, "max_length": 32, "checkpoint_steps": 2}

# A process of its own that kills itself when step 7 is done, while nothing has been told of it.
KILLED = """
import json, sys
from pathlib import Path
from modelyard.run import Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from tests.kills import KillsAtStep
from tests.unit.tiny_bert import tiny_reviews

run = Run(Store(Path(sys.argv[1])), KillsAtStep(7), threads=1)
train(tiny_reviews(run.store, 10, 6), TrainConfig(base=sys.argv[2], **json.loads(sys.argv[3])), run)
"""


class Heard:
    """What a run said; for each step its loss so far and its learning rate."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.steps: dict[int, tuple[str, str]] = {}

    def progress(self, label: str, done: int, total: int, note: str = "") -> None:
        if label == "train" and note:
            _, loss, _, rate = note.split()[:4]
            self.steps[done] = loss, rate

    def say(self, message: str) -> None:
        self.said.append(message)

    def warn(self, message: str) -> None:
        self.said.append(f"warning: {message}")


def trained(folder: Path, base: Path) -> tuple[str, Heard, Run]:
    heard = Heard()
    run = Run(Store(folder), heard, threads=1)
    model = train(tiny_reviews(run.store, SAMPLES, 6), TrainConfig(base=str(base), **SETTINGS), run)
    return model.digest, heard, run


@pytest.mark.e2e
def test_trn_01_a_killed_run_goes_on_from_its_last_whole_checkpoint(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    digest, unbroken, whole = trained(tmp_path / "a", base)
    command = [sys.executable, "-c", KILLED, str(tmp_path / "b"), str(base), json.dumps(SETTINGS)]
    killed = subprocess.run(command, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2])
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    checkpoints = tmp_path / "b" / "scratch" / "run" / "checkpoints"
    assert sorted(path.name for path in checkpoints.iterdir()) == ["step-00000005", "step-00000006"]
    (checkpoints / "step-10").mkdir()
    (checkpoints / "step-10" / "model.safetensors").touch()

    same, resumed, run = trained(tmp_path / "b", base)
    assert resumed.said[0].startswith("warning: checkpoint step-10 is passed over")
    assert "empty: model.safetensors" in resumed.said[0]
    assert resumed.said[1] == "going on from step 6 of 10"
    # The rest of the second epoch: its order, its losses and its rates are those of the run that nothing broke.
    assert list(resumed.steps) == [7, 8, 9, 10]
    assert resumed.steps == {step: unbroken.steps[step] for step in (7, 8, 9, 10)}
    assert run.details["history"] == whole.details["history"]
    assert run.details["epochs"] == whole.details["epochs"]
    assert same == digest


def test_trn_01_the_learning_rate_makes_no_jump(tmp_path: Path) -> None:
    base = make_base(tmp_path / "base")
    _, heard, run = trained(tmp_path / "a", base)
    peak = run.figures["learning_rate"].value
    assert peak == pytest.approx(0.16 * 2 / 256)
    warmup = round(STEPS * TrainConfig(base=str(base), **SETTINGS).warmup_share)
    schedule = WarmupCosine(peak, warmup, STEPS)
    assert [float(heard.steps[step][1]) for step in range(1, STEPS + 1)] == pytest.approx(
        [schedule.rate(step) for step in range(STEPS)], rel=0.01
    )


class Known:
    """A task whose rows carry their own loss, weight and answer: what comes out can be worked out by hand."""

    def forward(self, model, feeds):
        return {"sums": model.weight * feeds["sums"], "weights": feeds["weights"], "right": feeds["right"]}

    def loss(self, outputs, targets, options):
        return outputs["sums"].sum(), outputs["weights"].sum()

    def judged(self, outputs):
        return outputs

    def metrics(self, outputs, targets, labels):
        return {"accuracy": float(outputs["right"].mean())}

    def collate(self, items):
        return {name: np.concatenate([item.features[name] for item in items]) for name in items[0].features}


class Weight(torch.nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(1))


def rows_of(sums: list[float], weights: list[float], right: list[float]) -> Rows:
    features = {
        name: np.array(values, np.float32) for name, values in (("sums", sums), ("weights", weights), ("right", right))
    }
    count = len(sums)
    return Rows(features, np.arange(count + 1), np.ones(count, np.int64), np.zeros(count, np.int64), 0)


def loop_of(tmp_path: Path, micro_size: int) -> tuple[Loop, Weight, Checkpoints]:
    plan = Plan(1, 2, micro_size, 1.0, 0.0, 1e9, 5, 0, 100, None, {})
    model, task = Weight(), Known()
    run = Run(Store(tmp_path), threads=1)
    loop = Loop(model, torch.optim.SGD(model.parameters(), lr=1.0), task, task, LABELS, plan, run)
    return loop, model, Checkpoints(run.scratch(), {}, run.warn)


@pytest.mark.parametrize("micro_size", [1, 2])
def test_trn_03_the_loss_is_that_of_all_tokens_however_the_batch_is_cut(tmp_path: Path, micro_size: int) -> None:
    """Sums 4.0 over 2 tokens and 8.0 over 8: (4 + 8) / 10 = 1.2; the mean of the means would be 1.5."""
    loop, model, checkpoints = loop_of(tmp_path, micro_size)
    rows = rows_of([4.0, 8.0], [2.0, 8.0], [1.0, 1.0])
    progress = loop.fit(rows, rows, checkpoints)
    assert progress.epochs[0]["train_loss"] == pytest.approx(1.2)
    assert progress.history[0]["loss"] == pytest.approx(1.2)
    # and so is its gradient: one step of rate 1 from weight 1
    assert model.weight.item() == pytest.approx(1.0 - 1.2)


@pytest.mark.parametrize("batch", [1, 2, 3, 64])
def test_trn_03_the_accuracy_of_5_samples_is_3_of_5_in_any_batches(
    tmp_path: Path, batch: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first is right: batches of 2 that are filled up with it would give 4 of 6."""
    loop, _, _ = loop_of(tmp_path, 1)
    monkeypatch.setattr(loops, "EVALUATION_BATCH", batch)
    loss, metrics = loop.evaluate(rows_of([1.0] * 5, [1.0] * 5, [1.0, 1.0, 0.0, 0.0, 1.0]))
    assert metrics["accuracy"] == pytest.approx(0.6)
    assert loss == pytest.approx(1.0)
