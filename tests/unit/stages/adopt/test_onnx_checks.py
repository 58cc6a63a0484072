from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import helper

from modelyard.errors import BadInput
from modelyard.stages.adopt.graph_tensors import graph_inputs, graph_outputs
from modelyard.stages.adopt.onnx_checks import check
from tests.graphs import FLOAT_X, Value, graph, node, saved, value

Y: Value = ("y", "FLOAT", ["rows"])


def refused(path: Path) -> BadInput:
    with pytest.raises(BadInput) as caught:
        check(path)
    assert caught.value.next
    return caught.value


@pytest.mark.parametrize(
    ("data", "what"),
    [
        (b"", "is empty"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 5\n", "a Git LFS pointer"),
        (b"PK\x03\x04" + b"\0" * 60, "a zip archive, as PyTorch and Keras write them"),
        (b"\x80\x02}q\x00.", "pickled objects"),
        (b"\x89HDF\r\n\x1a\n", "an HDF5 file"),
        (b"<!DOCTYPE html><html>", "a page of a web site"),
        (b"\x18\0\0\0TFL3\0\0", "a TensorFlow Lite model"),
        (b"\x18\0\0\0ORTM\0\0", "in ONNX Runtime's own format"),
        (b"\x08\x0a", "holds no graph"),
        (b"not a model at all", "is no ONNX file"),
    ],
)
def test_what_is_no_onnx_file_is_named(tmp_path: Path, data: bytes, what: str) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(data)
    assert what in refused(path).message


@given(st.binary(max_size=300), st.data())
def test_any_bytes_are_a_graph_or_bad_input(
    tmp_path_factory: pytest.TempPathFactory, noise: bytes, data: st.DataObject
) -> None:
    """Random bytes, and a true file with some of its bytes overwritten or cut off."""
    whole = graph([node("Add", "x w", "y")], [FLOAT_X], [Y], {"w": np.ones(1, np.float32)}).SerializeToString()
    start = data.draw(st.integers(0, len(whole)))
    path = tmp_path_factory.mktemp("bytes") / "model.onnx"
    for content in (noise, whole[:start], whole[:start] + noise[:8] + whole[start + 8 :]):
        path.write_bytes(content)
        try:
            proto = check(path)
            graph_inputs(proto, path)
            graph_outputs(proto, path)
        except BadInput as error:
            assert error.message and error.next


def test_versions_that_are_too_new_are_named_with_the_newest_that_is_read(tmp_path: Path) -> None:
    here = onnxruntime.__version__
    newer = graph([node("Relu", "x", "y")], [FLOAT_X], [Y], opsets={"": 99})
    found = refused(saved(newer, tmp_path / "opset.onnx"))
    assert found.message.startswith(f"opset.onnx has opset 99 of ai.onnx, the ONNX Runtime {here} that is installed")
    most = int(found.message.rpartition(" ")[2])
    assert 20 <= most < 99
    assert f"convert_version(model, {most})" in (found.next or "")
    check(saved(graph([node("Relu", "x", "y")], [FLOAT_X], [Y], opsets={"": most}), tmp_path / "most.onnx"))
    learning = graph([node("Relu", "x", "y")], [FLOAT_X], [Y], opsets={"ai.onnx.ml": 77})
    assert "opset 77 of ai.onnx.ml" in refused(saved(learning, tmp_path / "ml.onnx")).message
    odd = graph([node("Relu", "x", "y")], [FLOAT_X], [Y])
    odd.ir_version = 2**40
    assert "IR version 1099511627776" in refused(saved(odd, tmp_path / "ir.onnx")).message


def test_an_operator_that_onnx_runtime_lacks_is_named_with_its_node_wherever_it_is(tmp_path: Path) -> None:
    words = node("Tokenize", "", "t", domain="ai.onnx.contrib", name="words")
    branch = helper.make_graph([words], "then", [], [value("t", "FLOAT", [1])])
    other = helper.make_graph([node("Identity", "x", "e")], "else", [], [value("e", "FLOAT", [1])])
    choice = node("If", "flag", "y", then_branch=branch, else_branch=other)
    model = graph([choice], [("flag", "BOOL", []), FLOAT_X], [Y])
    found = refused(saved(model, tmp_path / "model.onnx"))
    assert found.message == "node words is ai.onnx.contrib:Tokenize, an operator that ONNX Runtime does not have"


def test_operators_of_the_files_own_functions_are_known(tmp_path: Path) -> None:
    twice = helper.make_function("own", "Twice", ["a"], ["b"], [node("Add", "a a", "b")], [helper.make_opsetid("", 20)])
    model = graph([node("Twice", "x", "y", domain="own")], [FLOAT_X], [Y], opsets={"own": 1}, functions=[twice])
    check(saved(model, tmp_path / "model.onnx"))
    model.graph.node[0].op_type = "Thrice"
    assert "own:Thrice" in refused(saved(model, tmp_path / "model.onnx")).message


TRUE, FALSE = {"flag": np.array(True)}, {"flag": np.array(False)}
CHANNELS = [np.ones(3, np.float32)] * 4


@pytest.mark.parametrize(
    ("nodes", "constants", "opset", "learns"),
    [
        ([node("Dropout", "x ratio flag", "y", name="drop")], TRUE, 20, True),
        ([node("Dropout", "x ratio flag", "y")], FALSE, 20, False),
        ([node("Dropout", "x", "y")], {}, 20, False),
        ([node("Constant", "", "flag", value=helper.make_tensor("f", onnx.TensorProto.BOOL, [], [True])),
          node("Dropout", "x ratio flag", "y", name="drop")], {}, 20, True),
        ([node("BatchNormalization", "x s b m v", "y", name="drop", training_mode=1)], {}, 20, True),
        ([node("BatchNormalization", "x s b m v", "y", training_mode=0)], {}, 20, False),
        ([node("BatchNormalization", "x s b m v", "y", )], {}, 9, False),
        ([node("BatchNormalization", "x s b m v", "y mean var", name="drop")], {}, 9, True),
    ],
)  # fmt: skip
def test_training_mode_is_refused_by_its_node(
    tmp_path: Path, nodes: list[onnx.NodeProto], constants: dict[str, np.ndarray], opset: int, learns: bool
) -> None:
    shape = [1, 3, 2]
    stats = dict(zip("sbmv", CHANNELS, strict=True)) | {"ratio": np.array(0.5, np.float32)}
    model = graph(nodes, [("x", "FLOAT", shape)], [("y", "FLOAT", shape)], stats | constants, opsets={"": opset})
    path = saved(model, tmp_path / "model.onnx")
    if learns:
        found = refused(path)
        assert found.message.startswith("the graph was exported in training mode: node drop (")
        assert "eval" in (found.next or "")
    else:
        check(path)


SEQUENCE = helper.make_tensor_sequence_value_info("s", onnx.TensorProto.FLOAT, ["n"])
MAPS = helper.make_value_info(
    "m", helper.make_sequence_type_proto(helper.make_map_type_proto(7, helper.make_tensor_type_proto(1, [])))
)
OPTIONAL = helper.make_value_info("o", helper.make_optional_type_proto(helper.make_tensor_type_proto(1, [2])))


@pytest.mark.parametrize(
    ("odd", "what"),
    [
        (SEQUENCE, "s of model.onnx is of type sequence of tensors"),
        (MAPS, "m of model.onnx is of type sequence of maps"),
        (OPTIONAL, "o of model.onnx is of type optional tensor"),
        (value("h", "BFLOAT16", [1]), "h of model.onnx is of BFLOAT16"),
        (value("c", "COMPLEX64", [1]), "c of model.onnx is of COMPLEX64"),
        (value("f", "FLOAT8E4M3FN", [1]), "f of model.onnx is of FLOAT8E4M3FN"),
        (value("i", "INT4", [1]), "i of model.onnx is of INT4"),
        (value("x" * 257, "FLOAT", [1]), "with a name of 257 characters"),
    ],
)
def test_inputs_and_outputs_that_the_protocol_cannot_carry_are_refused_by_name(
    tmp_path: Path, odd: onnx.ValueInfoProto, what: str
) -> None:
    path = tmp_path / "model.onnx"
    for side, read in (("input", graph_inputs), ("output", graph_outputs)):
        model = graph([], [odd] if side == "input" else [FLOAT_X], [odd] if side == "output" else [Y])
        with pytest.raises(BadInput) as caught:
            read(model, path)
        assert what in caught.value.message
        assert side in caught.value.message
        assert caught.value.next


def test_an_input_with_a_default_value_is_none_and_a_graph_without_inputs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    model = graph([node("Add", "x w", "y")], [FLOAT_X, ("w", "FLOAT", [1])], [Y], {"w": np.ones(1, np.float32)})
    assert [tensor.name for tensor in graph_inputs(model, path)] == ["x"]
    with pytest.raises(BadInput, match="has no inputs"):
        graph_inputs(graph([node("Identity", "w", "y")], [], [Y], {"w": np.ones(1, np.float32)}), path)
