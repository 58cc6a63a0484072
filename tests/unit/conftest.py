from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.store import Model, Package
from tests.unit.tiny_bert import make_base
from tests.unit.tiny_t5 import export_tiny_t5, train_tiny_t5


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face directory with a two-layer BERT."""
    return make_base(tmp_path_factory.mktemp("base"))


@pytest.fixture(scope="session")
def tiny_t5(tmp_path_factory: pytest.TempPathFactory) -> Model:
    """A T5 that has begun to learn: it ends its texts, and writes different ones."""
    return train_tiny_t5(tmp_path_factory.mktemp("t5"))


@pytest.fixture(scope="session")
def tiny_t5_package(tiny_t5: Model, tmp_path_factory: pytest.TempPathFactory) -> Package:
    """Its package, greedy, with a golden set of 12."""
    return export_tiny_t5(tiny_t5, tmp_path_factory.mktemp("t5-package"))
