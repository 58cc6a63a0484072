"""A small ResNet through the loop: it learns, and a training that was interrupted ends with the same weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from modelyard.run import Cancelled, Listener, Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Store
from modelyard.tasks.image_classification.recipes import RECIPES
from tests.unit.stages.train.striped_pictures import striped

FAST = {"task": "image_classification", "epochs": 6, "batch_size": 8, "base_lr": 0.3, "checkpoint_steps": 5}


@pytest.fixture
def base(tmp_path: Path) -> str:
    folder = tmp_path / "base"
    folder.mkdir()
    tiny = {**RECIPES["resnet"], "embedding_size": 8, "hidden_sizes": [8, 16], "depths": [1, 1]}
    (folder / "config.json").write_text(json.dumps(tiny))
    return str(folder)


class StopsAt(Listener):
    """Interrupts once so many steps are done."""

    def __init__(self, step: int) -> None:
        self.step = step
        self.run: Run | None = None

    def progress(self, what: str, done: int, total: int | None, note: str = "") -> None:
        if what == "train" and done >= self.step and self.run is not None:
            self.run.cancelled.set()


def test_it_learns_and_an_interrupted_training_ends_with_the_same_weights(base: str, tmp_path: Path) -> None:
    config = TrainConfig.model_validate({**FAST, "base": base, "image_size": 16})
    whole = Run(Store(tmp_path / "whole"), threads=1)
    data = striped(whole.store)
    model = train(data, config, whole)
    assert whole.figures["validation_accuracy"].value > 0.9
    assert "truncated_share" not in whole.figures
    prepared = json.loads((model.path / "preprocessor_config.json").read_text())
    assert prepared["size"] == {"height": 16, "width": 16}

    listener = StopsAt(23)
    broken = Run(Store(tmp_path / "broken"), listener=listener, threads=1)
    listener.run = broken
    data = striped(broken.store)
    with pytest.raises(Cancelled):
        train(data, config, broken)
    assert list(broken.scratch("checkpoints").iterdir())
    again = Run(broken.store, threads=1)
    assert train(data, config, again).digest == model.digest
