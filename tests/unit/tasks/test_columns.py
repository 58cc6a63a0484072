"""One side of a Dataset under the public names of a task."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pytest

from modelyard.errors import BadInput
from modelyard.store import Column, Dataset, Store
from modelyard.store.dataset import SPLIT
from modelyard.tasks import load_task
from modelyard.tasks.columns import read_side

TASK = load_task("text_classification")


def by_class(root: Path) -> Dataset:
    """Two parts of 50 rows, every second one for validation, sorted by class as folders of classes are."""
    columns = [Column("says", "text", "input", public="text"), Column("is", "label", "target", public="label")]
    writer = Store(root).new_dataset([*columns, Column(SPLIT, "value", "system")])
    for label in ("no", "yes"):
        rows = {"says": [f"{label} {n}" for n in range(50)], "is": [label] * 50, SPLIT: ["train", "validation"] * 25}
        writer.write(pa.table(rows))
    return writer.finish()


def test_some_rows_of_a_side_are_of_all_of_it(tmp_path: Path) -> None:
    table = read_side(by_class(tmp_path), TASK, "validation", rows=10)
    assert table.column_names == ["text", "label"]
    assert table["label"].to_pylist() == ["no"] * 5 + ["yes"] * 5
    assert read_side(by_class(tmp_path), TASK, "validation").num_rows == 50


def test_a_side_without_rows_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="the split has no test rows"):
        read_side(by_class(tmp_path), TASK, "test")
