"""The line of stages of a project."""

from __future__ import annotations

from pathlib import Path

import pytest

from modelyard.chain.project import load_project
from modelyard.chain.steps import CHAIN, index_of, steps_of
from modelyard.errors import BadConfig


def test_a_project_that_asks_for_no_augmented_rows_has_the_plain_chain(tmp_path: Path) -> None:
    steps = steps_of(load_project(tmp_path))
    assert steps == CHAIN
    with pytest.raises(BadConfig, match="augment is not in this chain") as error:
        index_of("augment", steps)
    assert "augment.copies" in (error.value.next or "")


def test_augmented_rows_are_trained_on_and_nothing_else_sees_them(tmp_path: Path) -> None:
    steps = steps_of(load_project(tmp_path, settings={"augment": {"copies": 1}}))
    takes = {step.name: step.takes for step in steps}
    assert list(takes) == ["ingest", "clean", "split", "augment", *(step.name for step in CHAIN[3:])]
    assert takes["augment"] == ("split",)
    assert [name for name, taken in takes.items() if "augment" in taken] == ["train"]
