from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn

from modelyard.runtimes.tensor_golden import read_tensors, write_tensors
from modelyard.tasks.pipeline import Tensors
from modelyard.tasks.tensor.datatypes import DTYPES

SHAPES = stn.array_shapes(min_dims=0, max_dims=3, min_side=0, max_side=3)
NUMBERS = st.sampled_from(sorted(DTYPES)).flatmap(lambda name: stn.arrays(DTYPES[name], SHAPES))
TEXTS = stn.arrays(np.dtype(object), SHAPES, elements=st.text(max_size=4), fill=st.nothing())
NAMES = st.sampled_from(["x", "a/b:0", "shape", "0", "文本", "__metadata__"])
ITEMS = st.lists(st.dictionaries(NAMES, NUMBERS | TEXTS, min_size=1, max_size=3), min_size=1, max_size=12)


@given(ITEMS)
def test_any_tensor_comes_back_bit_by_bit(tmp_path_factory: pytest.TempPathFactory, items: list[Tensors]) -> None:
    path: Path = tmp_path_factory.mktemp("golden") / "golden" / "inputs.safetensors"
    write_tensors(path, items)
    back = read_tensors(path.read_bytes())
    assert [set(item) for item in back] == [set(item) for item in items]
    for item, found in zip(items, back, strict=True):
        for name, array in item.items():
            assert (found[name].dtype, found[name].shape) == (array.dtype, array.shape)
            if array.dtype == object:
                assert found[name].ravel().tolist() == array.ravel().tolist()
            else:
                assert found[name].tobytes() == array.tobytes()


@given(st.binary(max_size=200))
def test_other_bytes_are_refused(data: bytes) -> None:
    try:
        items = read_tensors(data)
    except Exception as error:  # what `read_golden` catches: safetensors raises its own class
        assert not isinstance(error, MemoryError | RecursionError)
    else:
        assert items == []
