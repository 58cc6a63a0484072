from __future__ import annotations

import numpy as np
import pytest

from modelyard.run import Run
from modelyard.stages.train import TrainConfig, train
from modelyard.store import Model, Store
from tests.unit.tiny_t5 import make_recipe, pair_dataset


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A T5 that has begun to learn: it ends its texts, and writes different ones."""
    run = Run(Store(tmp_path_factory.mktemp("store")), threads=1)
    base = make_recipe(tmp_path_factory.mktemp("recipe"))
    config = TrainConfig(task="seq2seq", base=str(base), epochs=8, batch_size=16, base_lr=0.08, max_length=40)
    return train(pair_dataset(run.store), config, run)


@pytest.fixture(scope="session")
def feeds() -> dict[str, np.ndarray]:
    """Rows of 1 to 9 tokens, whatever they mean."""
    chance = np.random.default_rng(3)
    lengths = np.array([9, 1, 4, 9, 6, 2, 7])
    mask = (np.arange(9)[None, :] < lengths[:, None]).astype(np.int64)
    return {"input_ids": chance.integers(3, 300, (7, 9)) * mask, "attention_mask": mask}
