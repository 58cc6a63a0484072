from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.tiny_bert import make_base


@pytest.fixture(scope="session")
def tiny_base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A Hugging Face directory with a two-layer BERT."""
    return make_base(tmp_path_factory.mktemp("base"))
