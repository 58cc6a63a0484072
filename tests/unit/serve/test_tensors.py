from __future__ import annotations

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stn
from tritonclient.utils import deserialize_bytes_tensor, serialize_byte_tensor

from modelyard.serve.problems import Problem
from modelyard.serve.tensors import fits_items, from_bytes, from_json, to_bytes
from modelyard.tasks.tensor.datatypes import DTYPES, join_bytes, split_bytes
from modelyard.tasks.tensor.pipeline import fits

SHAPES = stn.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=4)
ARRAYS = st.sampled_from(sorted(DTYPES)).flatmap(
    lambda name: st.tuples(st.just(name), stn.arrays(DTYPES[name], SHAPES))
)


@given(ARRAYS)
def test_raw_bytes_come_back_bit_by_bit(case: tuple[str, np.ndarray]) -> None:
    datatype, array = case
    back = from_bytes("x", datatype, array.shape, to_bytes(array)).data
    assert back.dtype == array.dtype
    assert back.tobytes() == array.tobytes()


@given(ARRAYS, st.booleans())
def test_finite_json_data_comes_back_flat_or_nested(case: tuple[str, np.ndarray], nested: bool) -> None:
    datatype, array = case
    if array.dtype.kind == "f":
        array = np.nan_to_num(array)
    data = orjson.loads(orjson.dumps(array if nested else array.ravel(), option=orjson.OPT_SERIALIZE_NUMPY))
    back = from_json("x", datatype, array.shape, data).data
    assert back.dtype == array.dtype
    assert back.shape == array.shape
    np.testing.assert_array_equal(back, array)


def test_numbers_beyond_2_to_the_53_are_kept_exactly() -> None:
    """NumPy by itself makes float64 of a list with 1 and 2**63."""
    for datatype, data in (("UINT64", [1, 2**63, 2**64 - 1]), ("INT64", [-(2**63), 2**63 - 1, 2**53 + 1])):
        assert from_json("x", datatype, (3,), data).data.tolist() == data


def test_any_byte_but_0_is_true() -> None:
    found = from_bytes("x", "BOOL", (3,), b"\x00\x01\x02").data
    assert found.tobytes() == b"\x00\x01\x01"


def test_data_at_an_odd_place_of_the_body_are_aligned() -> None:
    raw = memoryview(b"x" + np.arange(4, dtype="<f8").tobytes())[1:]
    found = from_bytes("x", "FP64", (4,), raw).data
    assert found.flags.aligned
    assert found.tolist() == [0, 1, 2, 3]


@given(st.lists(st.binary(max_size=30), max_size=8))
def test_bytes_elements_are_those_of_tritonclient_and_keep_trailing_nuls(elements: list[bytes]) -> None:
    padded = [element + b"\x00" for element in elements]
    raw = join_bytes(padded)
    assert split_bytes(raw) == padded
    if padded:
        assert raw == serialize_byte_tensor(np.array(padded, dtype=object)).item()
        assert list(deserialize_bytes_tensor(raw)) == padded


@pytest.mark.parametrize(
    ("datatype", "shape", "data", "part"),
    [
        ("INT64", (2,), [1.5, 2], "1.5"),
        ("INT64", (2,), [1, None], "None"),
        ("INT8", (1,), [300], "out of the range"),
        ("UINT8", (1,), [-1], "out of the range"),
        ("UINT64", (2,), [2**64 - 1, -1], "out of the range"),
        ("FP32", (1,), [1e39], "out of the range"),
        ("FP32", (1,), ["1"], "'1'"),
        ("FP32", (1,), [True], "True"),
        ("BOOL", (1,), [1], "not BOOL"),
        ("FP32", (2, 2), [[1, 2], [3]], "nested"),
        ("FP32", (2, 2), [1, 2, 3], "holds 4 elements, data has 3"),
        ("FP32", (4,), [[1, 2], [3, 4]], "nested"),
        ("BYTES", (1,), [7], "not BYTES"),
        ("BYTES", (2,), ["a"], "holds 2 elements, data has 1"),
        ("BYTES", (1,), "a", "must be a list"),
    ],
)
def test_data_that_does_not_fit_is_refused_by_name(
    datatype: str, shape: tuple[int, ...], data: object, part: str
) -> None:
    with pytest.raises(Problem) as caught:
        from_json("speed", datatype, shape, data)
    assert caught.value.status == 400
    assert "input speed" in caught.value.message
    assert part in caught.value.message


@given(st.binary(max_size=64))
def test_no_binary_data_makes_more_than_a_problem(raw: bytes) -> None:
    for datatype, shape in (("BYTES", (2,)), ("FP32", (2, 2)), ("INT64", (1,))):
        try:
            from_bytes("x", datatype, shape, raw)
        except Problem as problem:
            assert problem.status == 400


def test_a_long_string_among_numbers_is_refused_before_numpy_sees_it() -> None:
    with pytest.raises(Problem, match="which is not FP32"):
        from_json("x", "FP32", (50_001,), ["a" * 1_000_000, *[0] * 50_000])


def test_a_column_counts_as_a_batch_of_items_only() -> None:
    assert fits((-1,), (3,))
    assert fits_items((-1,), (3, 1))
    for each in (fits, fits_items):
        assert not each((-1,), (3, 2))
        assert not each((-1, -1), (3,))
        assert not each((-1, 2), (3, 3))
    assert not fits((-1,), (3, 1))
    assert fits((), ())
    assert not fits((), (1,))
