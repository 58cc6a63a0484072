from __future__ import annotations

import platform
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import helper

from modelyard.errors import BadInput
from modelyard.run import Run
from modelyard.runtimes.choose import choose_variant
from modelyard.runtimes.golden import read_golden
from modelyard.stages.adopt import AdoptConfig, adopt
from modelyard.store import Package, Store
from modelyard.tasks import load_task
from tests.graphs import Value, endless, graph, node, saved

X: Value = ("x", "FLOAT", ["batch", 3])
Y: Value = ("y", "FLOAT", ["batch", 2])
WEIGHTS = {"w": np.arange(6, dtype=np.float32).reshape(3, 2)}
LINEAR = graph([node("MatMul", "x w", "y", name="head")], [X], [Y], WEIGHTS)


def adopted(model: onnx.ModelProto, folder: Path, **config: Any) -> tuple[Package, Run]:
    run = Run(Store(folder / "store"), threads=1)
    made = adopt(saved(model, folder / "in" / "model.onnx"), AdoptConfig(**config), run)
    assert isinstance(made, Package)
    return made, run


def refused(model: onnx.ModelProto, folder: Path, **config: Any) -> BadInput:
    with pytest.raises(BadInput) as caught:
        adopted(model, folder, **config)
    assert caught.value.next
    assert not list((folder / "store").rglob("package.json"))
    return caught.value


def test_a_package_has_the_graphs_own_inputs_and_outputs_and_passes_its_golden_set(tmp_path: Path) -> None:
    package, run = adopted(LINEAR, tmp_path, name="linear")
    info = package.info
    assert (info["name"], info["task"], info["pipeline"], info["batch"]) == ("linear", "tensor", {}, True)
    assert "tensor" not in info
    assert info["signature"] == {
        "inputs": [{"name": "x", "datatype": "FP32", "shape": [-1, 3]}],
        "outputs": [{"name": "y", "datatype": "FP32", "shape": [-1, 2]}],
    }
    golden = read_golden(package)
    assert golden.agreement == "none"
    assert len(golden.inputs) == info["golden"]["count"] == run.figures["golden_inputs"].value == 16
    assert {item["x"].shape[0] for item in golden.inputs[:8]} == {1, 2, 5}
    for item, answer in zip(golden.inputs, golden.outputs, strict=True):
        np.testing.assert_allclose(answer["y"], item["x"] @ WEIGHTS["w"], rtol=1e-5)
    pipeline = load_task("tensor").open_pipeline(package.path, info["pipeline"])
    choice = choose_variant(package, pipeline, golden, count=16)
    assert (choice.variant["name"], choice.replay.max_abs, choice.replay.checked) == ("float", 0.0, 16)


def test_the_digest_is_of_the_content_only(tmp_path: Path) -> None:
    """Another name of the file, a doc string and a path in the metadata make no other package."""
    first, _ = adopted(LINEAR, tmp_path / "a")
    told = onnx.ModelProto.FromString(LINEAR.SerializeToString())
    told.doc_string = told.graph.node[0].doc_string = "written by somebody, model.py line 7"
    told.metadata_props.add(key="path", value="somebody")
    run = Run(Store(tmp_path / "b" / "store"), threads=1)
    second = adopt(saved(told, tmp_path / "b" / "another name.onnx"), AdoptConfig(), run)
    assert second.digest == first.digest
    assert b"somebody" not in b"".join(path.read_bytes() for path in second.path.rglob("*") if path.is_file())


def test_given_inputs_are_the_golden_set_row_by_row_where_there_are_rows(tmp_path: Path) -> None:
    data = tmp_path / "inputs.npz"
    rows = np.arange(12, dtype=np.float32).reshape(4, 3)
    np.savez(data, x=rows)
    package, run = adopted(LINEAR, tmp_path, data=data)
    found = [item["x"].tolist() for item in read_golden(package).inputs]
    assert found == [rows.tolist(), *[[row] for row in rows.tolist()]]
    assert run.figures["golden_inputs"].how == "1 request of inputs.npz"


def test_a_golden_set_of_many_rows_is_as_long_as_was_asked(tmp_path: Path) -> None:
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.ones((500, 3), np.float32))
    package, _ = adopted(LINEAR, tmp_path, data=data, golden=4)
    assert [len(item["x"]) for item in read_golden(package).inputs] == [5, 1, 1, 1, 1]


def test_inputs_that_show_more_than_one_row_to_run_keep_a_graph_from_being_refused(tmp_path: Path) -> None:
    """x + a table of 3 x 3: by broadcasting it runs on 1 row, on 3, and on no other number."""
    table = {"w": np.ones((3, 3), np.float32)}
    model = graph([node("Add", "x w", "y", name="sum")], [X], [("y", "FLOAT", [3, 3])], table)
    assert "works at 1 only: at 2 it fails: node sum (Add)" in refused(model, tmp_path).message
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.ones((3, 3), np.float32))
    package, run = adopted(model, tmp_path / "with", data=data)
    assert package.info["batch"] is False
    assert "at a first axis of 2 it fails: node sum (Add)" in run.details["not_batched"]


def test_given_inputs_of_a_graph_without_rows_stay_whole(tmp_path: Path) -> None:
    summing = graph([node("ReduceSum", "x", "y", keepdims=0)], [X], [("y", "FLOAT", [])])
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.arange(18, dtype=np.float32).reshape(2, 3, 3))
    package, _ = adopted(summing, tmp_path, data=data)
    golden = read_golden(package)
    assert [item["x"].shape for item in golden.inputs] == [(3, 3), (3, 3)]
    assert [float(answer["y"]) for answer in golden.outputs] == [36.0, 117.0]
    assert package.info["batch"] is False
    assert package.info["signature"]["outputs"] == [{"name": "y", "datatype": "FP32", "shape": []}]


def test_nothing_at_all_is_an_input_where_the_graph_says_so_and_no_rows_are_none(tmp_path: Path) -> None:
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.ones((0, 3), np.float32))
    empty = graph([node("Relu", "x", "y")], [("x", "FLOAT", [0, 3])], [("y", "FLOAT", [0, 3])])
    package, _ = adopted(empty, tmp_path, data=data)
    assert [answer["y"].shape for answer in read_golden(package).outputs] == [(0, 3)]
    assert refused(LINEAR, tmp_path / "free", data=data).message == "a request of inputs.npz holds no rows"


def test_given_inputs_that_the_graph_does_not_take_are_refused_by_node(tmp_path: Path) -> None:
    model = graph(
        [node("Gather", "w ids", "y", name="table")], [("ids", "INT64", ["n"])], [("y", "FLOAT", ["n", 2])], WEIGHTS
    )
    data = tmp_path / "inputs.npz"
    np.savez(data, ids=np.array([0, 9]))
    found = refused(model, tmp_path, data=data)
    assert found.message.startswith("the graph does not run on request 0 of inputs.npz: node table (Gather): indices")


def test_where_no_random_inputs_do_it_asks_for_some(tmp_path: Path) -> None:
    model = graph(
        [node("Reshape", "x shape", "y", name="fold")],
        [("x", "FLOAT", [7]), ("shape", "INT64", [2])],
        [("y", "FLOAT", None)],
    )
    found = refused(model, tmp_path)
    assert "runs on none of the random inputs that were tried: node fold (Reshape)" in found.message
    assert "--data inputs.npz" in (found.next or "")
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.ones(7), shape=np.array([7, 1]))
    package, _ = adopted(model, tmp_path / "with", data=data)
    assert package.info["signature"]["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [-1, -1]}]


def test_an_input_that_does_not_say_its_rank_asks_for_data(tmp_path: Path) -> None:
    model = graph([node("Relu", "x", "y")], [("x", "FLOAT", None)], [("y", "FLOAT", None)])
    assert "does not say how many axes its input x has" in refused(model, tmp_path).message
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.ones((2, 3)))
    package, _ = adopted(model, tmp_path / "with", data=data)
    assert package.info["signature"]["inputs"] == [{"name": "x", "datatype": "FP32", "shape": [-1, -1]}]


def test_a_graph_that_draws_random_numbers_is_refused_by_node_unless_the_inputs_still_it(tmp_path: Path) -> None:
    """y = x + noise * scale: with a scale of 0 it answers alike."""
    nodes = [node("RandomNormalLike", "x", "r", name="dice"), node("Mul", "r scale", "n"), node("Add", "x n", "y")]
    model = graph(nodes, [("x", "FLOAT", [4]), ("scale", "FLOAT", [])], [("y", "FLOAT", [4])])
    found = refused(model, tmp_path)
    assert "does not answer alike twice, as a model exported in training mode does" in found.message
    assert "node dice (RandomNormalLike) draws random numbers" in found.message
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.ones(4), scale=np.float32(0))
    adopted(model, tmp_path / "still", data=data)


def test_a_broken_graph_is_refused_in_the_runtimes_words(tmp_path: Path) -> None:
    model = graph(
        [node("MatMul", "x x", "y"), node("Nothing", "x", "z", name="odd")],
        [("x", "FLOAT", [2, 2])],
        [("z", "FLOAT", [2, 2])],
    )
    found = refused(model, tmp_path)
    assert found.message.startswith("model.onnx does not open in ONNX Runtime: ")
    assert "Nothing" in found.message


def test_nan_is_kept_in_the_golden_set(tmp_path: Path) -> None:
    model = graph([node("Div", "x x", "y")], [("x", "FLOAT", [2])], [("y", "FLOAT", [2])])
    data = tmp_path / "inputs.npz"
    np.savez(data, x=np.array([0.0, 2.0]))
    package, _ = adopted(model, tmp_path, data=data)
    assert np.isnan(read_golden(package).outputs[0]["y"]).tolist() == [True, False]


def test_a_quantised_graph_is_named_int8_and_is_its_own_reference(tmp_path: Path) -> None:
    nodes = [node("DynamicQuantizeLinear", "x", "q s z"), node("DequantizeLinear", "q s z", "y")]
    package, run = adopted(graph(nodes, [X], [("y", "FLOAT", ["batch", 3])]), tmp_path)
    (variant,) = package.variants
    assert (variant["name"], package.reference, variant["tolerance"]["max_abs"]) == ("int8", "int8", 0.1)
    assert package.info["batch"] is False
    assert "spreads eight bits over all rows" in run.details["not_batched"]


def test_what_a_graph_says_wrongly_of_its_output_is_put_right_and_said(tmp_path: Path) -> None:
    model = graph([node("Concat", "x x", "y", axis=1)], [("x", "FLOAT", [1, 2])], [("y", "FLOAT", [1, 2])])
    package, run = adopted(model, tmp_path)
    assert package.info["signature"]["outputs"][0]["shape"] == [1, -1]
    assert run.details["warnings"] == ["the graph says that y is [1, 2], it answered [1, 4]"]


def test_a_branch_and_texts_go_through(tmp_path: Path) -> None:
    yes = helper.make_graph([node("Identity", "s", "a")], "yes", [], [helper.make_tensor_value_info("a", 8, ["n"])])
    no = helper.make_graph([node("StringConcat", "s s", "b")], "no", [], [helper.make_tensor_value_info("b", 8, ["n"])])
    model = graph(
        [node("If", "flag", "y", then_branch=yes, else_branch=no)],
        [("s", "STRING", ["n"]), ("flag", "BOOL", [])],
        [("y", "STRING", ["n"])],
    )
    package, _ = adopted(model, tmp_path)
    golden = read_golden(package)
    flags = {bool(item["flag"]) for item in golden.inputs}
    assert flags == {True, False}
    for item, answer in zip(golden.inputs, golden.outputs, strict=True):
        texts = item["s"].tolist()
        assert answer["y"].tolist() == (texts if item["flag"] else [text * 2 for text in texts])


def test_a_graph_that_does_not_end_is_refused_and_leaves_nothing(tmp_path: Path) -> None:
    error = refused(endless(), tmp_path, limit_s=4)
    assert error.message == (
        "model.onnx runs on none of the random inputs that were tried: "
        "it took longer than 4 s (limit_s), and was stopped"
    )
    assert list((tmp_path / "store" / "temporary").iterdir()) == []


@pytest.mark.skipif(platform.machine() != "x86_64", reason="other processors answer")
def test_inputs_that_end_the_runtime_are_passed_over(tmp_path: Path) -> None:
    """The smallest INT32 divided by -1 ends the process: what `n` of 1, the first that is tried, comes to."""
    least = {"least": np.array(np.iinfo(np.int32).min, np.int32), "two": np.array(2, np.int32)}
    nodes = [node("Sub", "n two", "by"), node("Div", "least by", "y")]
    package, _ = adopted(graph(nodes, [("n", "INT32", [])], [("y", "INT32", [])], least), tmp_path)
    golden = read_golden(package)
    assert {int(item["n"]) for item in golden.inputs} == {0}
    assert {int(answer["y"]) for answer in golden.outputs} == {2**30}
