from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import pytest

from modelyard.errors import BadInput
from modelyard.stages.adopt.graph_files import copy_graph
from modelyard.stages.adopt.onnx_checks import check
from tests.graphs import FLOAT_X, graph, node

WEIGHTS = {"w": np.arange(3, dtype=np.float32), "v": np.arange(4, dtype=np.float32)[:1]}


def with_weights_beside(folder: Path, location: str = "weights.bin") -> Path:
    """y = x * w + v, both constants in one file beside the graph."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / location).parent.mkdir(parents=True, exist_ok=True)
    model = graph([node("Mul", "x w", "xw"), node("Add", "xw v", "y")], [FLOAT_X], [("y", "FLOAT", ["rows"])], WEIGHTS)
    path = folder / "net.onnx"
    onnx.save_model(model, path, save_as_external_data=True, location=location, size_threshold=0)
    return path


def edited(path: Path, place: int, key: str, text: str) -> None:
    """Another entry of one tensor's external data."""
    model = onnx.load(path, load_external_data=False)
    entries = model.graph.initializer[place].external_data
    for entry in list(entries):
        if entry.key == key:
            entries.remove(entry)
    entries.add(key=key, value=text)
    path.write_bytes(model.SerializeToString())


def refused(path: Path) -> str:
    with pytest.raises(BadInput) as caught:
        check(path)
    assert caught.value.next
    return caught.value.message


@pytest.mark.parametrize("location", ["weights.bin", "data/part/weights.bin"])
def test_weights_beside_the_graph_go_with_it(tmp_path: Path, location: str) -> None:
    path = with_weights_beside(tmp_path / "made", location)
    check(path)
    files = copy_graph(path, tmp_path / "copy", 1 << 20)
    assert [file.relative_to(tmp_path / "copy").as_posix() for file in files] == ["model.onnx", location]
    back = onnx.load(tmp_path / "copy" / "model.onnx")
    assert onnx.numpy_helper.to_array(back.graph.initializer[0]).tolist() == [0, 1, 2]


def test_a_file_that_is_missing_is_named_with_its_tensors(tmp_path: Path) -> None:
    path = with_weights_beside(tmp_path)
    (tmp_path / "weights.bin").unlink()
    assert refused(path) == "weights.bin is missing: it holds the tensor w, and 1 more of net.onnx"


def test_a_file_that_is_cut_off_is_named_with_the_tensor_that_it_no_longer_holds(tmp_path: Path) -> None:
    path = with_weights_beside(tmp_path)
    data = tmp_path / "weights.bin"
    data.write_bytes(data.read_bytes()[:10])
    assert refused(path) == "weights.bin ends at byte 10: the tensor w lies at 0-12"


def test_a_tensor_that_takes_more_than_it_is_given_is_named(tmp_path: Path) -> None:
    path = with_weights_beside(tmp_path)
    edited(path, 0, "length", "8")
    assert refused(path) == "the tensor w of shape [3] takes 12 bytes, 8 are given in weights.bin"


def test_without_a_length_a_tensor_goes_to_the_end_of_its_file(tmp_path: Path) -> None:
    path = with_weights_beside(tmp_path)
    model = onnx.load(path, load_external_data=False)
    for tensor in model.graph.initializer:
        kept = [(entry.key, entry.value) for entry in tensor.external_data if entry.key != "length"]
        del tensor.external_data[:]
        for key, text in kept:
            tensor.external_data.add(key=key, value=text)
    path.write_bytes(model.SerializeToString())
    check(path)
    edited(path, 1, "offset", "999")
    assert "the tensor v of shape [1] takes 4 bytes, 0 are given" in refused(path)


@pytest.mark.parametrize("location", ["/etc/passwd", "../weights.bin", "a/../../weights.bin", "C:\\w.bin", "..\\w", ""])
def test_weights_outside_the_folder_are_refused(tmp_path: Path, location: str) -> None:
    path = with_weights_beside(tmp_path / "made")
    (tmp_path / "weights.bin").write_bytes(bytes(64))
    edited(path, 0, "location", location)
    found = refused(path)
    assert f"the tensor w lies in {location!r}" in found
    assert "must lie inside the folder" in found


def test_a_link_out_of_the_folder_is_refused_but_for_the_cache_of_the_hub(tmp_path: Path) -> None:
    path = with_weights_beside(tmp_path / "made")
    data = tmp_path / "made" / "weights.bin"
    data.rename(tmp_path / "elsewhere.bin")
    data.symlink_to(tmp_path / "elsewhere.bin")
    assert "is a link that leads out of its folder" in refused(path)
    snapshot = with_weights_beside(tmp_path / "models--who--what" / "snapshots" / "0a1b")
    blob = tmp_path / "models--who--what" / "blobs" / "ff"
    blob.parent.mkdir()
    (snapshot.parent / "weights.bin").rename(blob)
    (snapshot.parent / "weights.bin").symlink_to(blob)
    check(snapshot)


@pytest.mark.parametrize("key", ["offset", "length"])
def test_an_offset_that_is_no_number_is_named(tmp_path: Path, key: str) -> None:
    path = with_weights_beside(tmp_path)
    edited(path, 0, key, "-4")
    assert refused(path) == f"the tensor w in weights.bin has the {key} '-4', which is no number of bytes"
