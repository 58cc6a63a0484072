from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.errors import BadConfig, BadInput
from modelyard.tasks import load_task
from modelyard.tasks.tensor import TensorPipeline
from modelyard.tasks.tensor.datatypes import join_bytes, split_bytes, texts
from modelyard.tasks.tensor.pipeline import read_specs

PIPELINE = TensorPipeline({"x": ("FP32", (-1, 2)), "k": ("INT64", (-1,))}, batch=True)


def item(rows: int, **changes: Any) -> dict[str, Any]:
    return {"x": np.zeros((rows, 2), np.float32), "k": np.arange(rows), **changes}


def test_items_are_laid_one_after_the_other_and_one_is_fed_as_it_is() -> None:
    prepared = [PIPELINE.prepare(item(rows)) for rows in (1, 3)]
    assert [each.size for each in prepared] == [1, 3]
    assert PIPELINE.collate(prepared)["k"].tolist() == [0, 0, 1, 2]
    assert PIPELINE.collate(prepared[:1]) == prepared[0].features
    alone = TensorPipeline({"x": ("FP32", ())}, batch=False)
    scalars = [alone.prepare({"x": np.array(1.0, np.float32)})] * 2
    assert scalars[0].size == 1
    with pytest.raises(BadInput, match="no batch axis"):
        alone.collate(scalars)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"x": np.zeros((1, 3), np.float32)}, "input x: its shape is [-1, 2] (-1 is any size), not [1, 3]"),
        ({"x": np.zeros(2, np.float32)}, "input x: its shape is [-1, 2] (-1 is any size), not [2]"),
        ({"x": np.zeros((1, 2))}, "input x: its datatype is FP32, not FP64"),
        ({"x": np.zeros((1, 2), np.complex64)}, "input x: its datatype is FP32, not complex64"),
    ],
)
def test_what_does_not_fit_is_named(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(BadInput) as caught:
        PIPELINE.prepare_batch([item(1), item(1, **changes)])
    assert (caught.value.message, caught.value.where) == (said, "item 1")


def test_a_missing_input_is_named() -> None:
    with pytest.raises(BadInput, match="the input k is missing"):
        PIPELINE.prepare({"x": np.zeros((1, 2), np.float32)})


def test_nothing_is_trained() -> None:
    task = load_task("tensor")
    for asked in (task.training, lambda: task.signature([])):
        with pytest.raises(BadConfig, match="made from an ONNX file") as caught:
            asked()
        assert caught.value.next == "modelyard adopt model.onnx --out DIR"


def test_a_package_whose_inputs_are_of_no_known_datatype_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no datatype BF16"):
        read_specs([{"name": "x", "datatype": "BF16", "shape": [1]}])
    (tmp_path / "package.json").write_text('{"signature": {"inputs": [{"name": "x"}]}, "batch": true}')
    with pytest.raises(BadInput, match="names no inputs of a graph"):
        load_task("tensor").open_pipeline(tmp_path, {})


@given(st.lists(st.text(max_size=6) | st.text(max_size=6).map(str.encode), max_size=6))
def test_texts_reach_a_graph_whole_nul_bytes_too(elements: list[str | bytes]) -> None:
    array = texts(elements, [len(elements)])
    plain = [each.decode() if isinstance(each, bytes) else each for each in elements]
    assert array.tolist() == plain
    assert split_bytes(join_bytes(array.tolist())) == [each.encode() for each in plain]


@pytest.mark.parametrize("element", [b"a\xff", "\ud800"])
def test_what_is_not_utf_8_reaches_no_graph(element: str | bytes) -> None:
    with pytest.raises(ValueError):
        texts(["fine", element], [2])
