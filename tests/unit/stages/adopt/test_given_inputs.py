from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.errors import BadInput
from modelyard.stages.adopt import given_inputs
from modelyard.stages.adopt.given_inputs import read_npz, requests, with_ranks
from modelyard.stages.adopt.graph_tensors import GraphTensor
from modelyard.tasks.pipeline import Tensors

X = GraphTensor("x", "FP32", ("rows", 2))
SCALAR = GraphTensor("k", "INT64", ())
WORDS = GraphTensor("s", "BYTES", ("rows",))


def written(path: Path, **arrays: Any) -> Path:
    np.savez(path, **arrays)
    return path


def asked(path: Path, *tensors: GraphTensor) -> list[Tensors]:
    return requests(tensors, read_npz(path), path)


def refused(path: Path, *tensors: GraphTensor) -> str:
    with pytest.raises(BadInput) as caught:
        asked(path, *tensors)
    assert caught.value.next
    return caught.value.message


def test_arrays_of_the_inputs_own_shapes_are_one_request_of_one_axis_more_several(tmp_path: Path) -> None:
    (one,) = asked(written(tmp_path / "one.npz", x=np.ones((3, 2), np.float32), k=np.int64(7)), X, SCALAR)
    assert (one["x"].shape, one["k"].shape, int(one["k"])) == ((3, 2), (), 7)
    two = asked(written(tmp_path / "two.npz", x=np.ones((2, 3, 2), np.float32), k=np.array([7, 8])), X, SCALAR)
    assert [int(request["k"]) for request in two] == [7, 8]
    assert [request["x"].shape for request in two] == [(3, 2), (3, 2)]


def test_texts_and_numbers_of_another_width_become_those_of_the_input(tmp_path: Path) -> None:
    path = written(tmp_path / "in.npz", x=np.ones((1, 2)), k=np.int8(3), s=np.array(["é\0b"]))
    (one,) = asked(path, X, SCALAR, WORDS)
    assert (one["x"].dtype, one["k"].dtype) == (np.float32, np.int64)
    assert one["s"].tolist() == ["é\0b"]
    (raw,) = asked(written(tmp_path / "raw.npz", s=np.array([b"a", "é".encode()])), WORDS)
    assert raw["s"].tolist() == ["a", "é"]


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"x": np.ones((1, 2))}, "in.npz has the arrays x; the inputs are x, k"),
        ({"x": np.ones((1, 2)), "k": 1, "z": 1}, "in.npz has the arrays x, k, z; the inputs are x, k"),
        ({"x": np.ones((1, 3)), "k": 1}, "the array x has the shape [1, 3], the input [-1, 2] (-1 is any size)"),
        ({"x": np.ones(2), "k": 1}, "the array x has the shape [2], the input [-1, 2] (-1 is any size)"),
        ({"x": np.ones((2, 1, 2)), "k": 1}, "the array x has the shape [2, 1, 2]"),
        ({"x": np.ones((2, 1, 2)), "k": [1, 2, 3]}, "the arrays do not hold the same requests: x 2, k 3"),
        ({"x": np.ones((0, 1, 2)), "k": np.ones(0, int)}, "the arrays do not hold the same requests: x 0, k 0"),
        ({"x": np.ones((1, 2)), "k": 1.5}, "the array k is float64, the input is INT64"),
        ({"x": np.array([["a", "b"]]), "k": 1}, "the array x is <U1, the input is FP32"),
        ({"x": np.ones((1, 2)), "k": np.uint64(2**63)}, "the array k holds a number that is out of the range of INT64"),
    ],
)
def test_what_does_not_fit_is_named(tmp_path: Path, arrays: dict[str, Any], said: str) -> None:
    assert refused(written(tmp_path / "in.npz", **arrays), X, SCALAR).startswith(said)


def test_axes_of_one_name_must_have_one_size(tmp_path: Path) -> None:
    path = written(tmp_path / "in.npz", x=np.ones((2, 2)), s=np.array(["a", "b", "c"]))
    assert refused(path, X, WORDS) == "the axis rows has the size 2 in x and 3 in s"


def test_python_objects_are_not_read(tmp_path: Path) -> None:
    path = written(tmp_path / "in.npz", s=np.array(["a", None], dtype=object))
    assert refused(path, WORDS) == "in.npz holds Python objects, which are not read"


def test_an_archive_that_unpacks_to_too_much_is_not_unpacked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(given_inputs, "MOST_BYTES", 1000)
    path = tmp_path / "in.npz"
    np.savez_compressed(path, x=np.zeros((1000, 2), np.float32))
    assert path.stat().st_size < 1000
    assert "holds 0.0 GB of arrays" in refused(path, X)


def test_an_input_whose_rank_nobody_says_has_that_of_its_array(tmp_path: Path) -> None:
    (tensor,) = with_ranks([GraphTensor("x", "FP32", None)], {"x": np.ones((2, 3))})
    assert tensor.shape == (-1, -1)


@given(st.binary(max_size=200), st.data())
def test_any_bytes_are_arrays_or_bad_input(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, data: st.DataObject
) -> None:
    """Random bytes; a true .npz with bytes overwritten; a member that is no array."""
    stream = io.BytesIO()
    np.savez(stream, x=np.ones((1, 2), np.float32))
    whole = stream.getvalue()
    start = data.draw(st.integers(0, len(whole)))
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("x.npy", noise)
        archive.writestr("y.txt", noise)
    path = tmp_path_factory.mktemp("npz") / "in.npz"
    for content in (noise, whole[:start] + noise[:6] + whole[start + 6 :], packed.getvalue()):
        path.write_bytes(content)
        try:
            for request in asked(path, X):
                assert request["x"].dtype == np.float32
        except BadInput as error:
            assert error.message
