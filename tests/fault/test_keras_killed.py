"""A Keras model in training, killed by kill -9: its statistics, seeds and dropout go on where they were."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.unit.tasks.keras.networks import write_function

pytestmark = pytest.mark.e2e

KILLED = """
import sys
from pathlib import Path
from modelyard.run import Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from tests.kills import KillsAtStep
from tests.unit.stages.train.striped_pictures import striped

run = Run(Store(Path(sys.argv[1])), KillsAtStep(int(sys.argv[3])), threads=1)
settings = dict(task="image_classification", framework="keras", epochs=2, batch_size=8, base_lr=0.5, checkpoint_steps=2)
print(train(striped(run.store, 40), TrainConfig(base=sys.argv[2], **settings), run).digest)
"""


def train_apart(store: Path, base: str, kill_at_step: int) -> subprocess.CompletedProcess[str]:
    """Train in a process of its own, which kills itself at the step; -1 lets it live. The backend that its environment
    asks for is not installed, and does not matter."""
    command = [sys.executable, "-c", KILLED, str(store), base, str(kill_at_step)]
    environment = {**os.environ, "KERAS_BACKEND": "jax", "XDG_CACHE_HOME": str(store.parent / "cache")}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=300, cwd=Path(__file__).parents[2], env=environment
    )


def test_a_killed_run_goes_on_bit_by_bit(tmp_path):
    """With statistics, seeds of layers, dropout and a regularizer: kill -9 in the second epoch, and the same digest."""
    base = write_function(tmp_path)
    unbroken = train_apart(tmp_path / "a", base, -1)
    killed = train_apart(tmp_path / "b", base, 7)
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = train_apart(tmp_path / "b", base, -1)
    assert resumed.stdout.splitlines()[0].startswith("going on from step 6 of "), resumed.stderr
    assert resumed.stdout.splitlines()[-1] == unbroken.stdout.splitlines()[-1]
    assert len(resumed.stdout.splitlines()[-1]) == 64
