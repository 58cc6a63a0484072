"""SRV: real reports about serving (ids as in the list of cases)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

import grpc
import numpy as np
import pytest
from tritonclient.grpc import service_pb2, service_pb2_grpc

from modelyard.run import Run
from modelyard.stages.adopt import AdoptConfig, adopt
from modelyard.store import Store
from tests.graphs import graph, node, saved
from tests.packages import tiny_package
from tests.real.servers import Answer, Served, serving

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    package = tiny_package(tmp_path_factory.mktemp("package") / "p")
    with serving(tmp_path_factory.mktemp("server"), str(package.path)) as served:
        yield served


def strict(body: bytes) -> Any:
    """JSON as the standard has it: no NaN, no Infinity."""

    def refuse(token: str) -> NoReturn:
        raise ValueError(f"{token} is not JSON")

    return json.loads(body, parse_constant=refuse)


# The mean over the words of a text is their sum over their number: with a mask of 0 it is 0 / 0, as x / x is.
NOT_A_NUMBER = [
    {"name": "input_ids", "datatype": "INT64", "shape": [2, 1], "data": [4, 4]},
    {"name": "attention_mask", "datatype": "INT64", "shape": [2, 1], "data": [0, 1]},
]


def tensors(server: Served, inputs: list[dict[str, Any]], **more: Any) -> Answer:
    return server.ask("POST", "/v2/models/reviews.tensor/infer", {"inputs": inputs, **more})


def test_srv_01_nan_is_an_error_that_names_the_output_in_strict_json(server: Served) -> None:
    answer = tensors(server, NOT_A_NUMBER)
    assert answer.status == 422
    assert strict(answer.body)["error"].startswith("output logits holds nan at [0, 0]")
    plain = server.ask(
        "POST", "/v2/models/reviews.tensor/infer", {"inputs": NOT_A_NUMBER, "outputs": [{"name": "logits"}]}
    )
    assert "nan" in strict(plain.body)["error"]


def test_srv_01_binary_and_grpc_keep_the_bits_of_nan(server: Served) -> None:
    answer = tensors(server, NOT_A_NUMBER, parameters={"binary_data_output": True})
    assert answer.status == 200
    size = int(answer.headers["inference-header-content-length"])
    strict(answer.body[:size])
    logits = np.frombuffer(answer.body[size:], "<f4").reshape(2, 2)
    message = service_pb2.ModelInferRequest(model_name="reviews.tensor")
    for tensor in NOT_A_NUMBER:
        message.inputs.add(name=tensor["name"], datatype="INT64", shape=tensor["shape"])
        message.raw_input_contents.append(np.array(tensor["data"], "<i8").tobytes())
    with grpc.insecure_channel(f"127.0.0.1:{server.grpc}") as channel:
        response = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(message, timeout=10)
    over_grpc = np.frombuffer(response.raw_output_contents[0], "<f4").reshape(2, 2)
    for found in (logits, over_grpc):
        assert np.isnan(found[0]).all()
        assert np.isfinite(found[1]).all()


def test_srv_03_1_a_shape_as_text_is_a_400_that_names_the_input(server: Served) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": "-1", "data": ["good"]}
    answer = server.ask("POST", "/v2/models/reviews/infer", {"inputs": [tensor]})
    assert answer.status == 400
    assert answer.json["error"] == "input text: shape must be a list of numbers from 0, not '-1'"
    assert server.process.poll() is None
    assert server.infer("good").status == 200


def test_srv_03_2_an_id_that_was_not_given_is_not_null(server: Served) -> None:
    assert "id" not in server.infer("good").json
    assert server.infer("good", id="mine").json["id"] == "mine"
    assert "id" not in server.infer("good", id=None).json


def test_srv_03_3_nested_and_flat_data_are_the_same_and_answers_are_flat(server: Served) -> None:
    """[[2, 4, 3]] and [2, 4, 3] for shape [1, 3]; two rows as well, answered row by row."""
    answers = []
    for ids, mask in (([[2, 4, 3]], [[1, 1, 1]]), ([2, 4, 3], [1, 1, 1])):
        inputs = [
            {"name": "input_ids", "datatype": "INT64", "shape": [1, 3], "data": ids},
            {"name": "attention_mask", "datatype": "INT64", "shape": [1, 3], "data": mask},
        ]
        answers.append(tensors(server, inputs).json["outputs"])
    assert answers[0] == answers[1]
    rows = [{**NOT_A_NUMBER[0], "data": [[4], [8]]}, {**NOT_A_NUMBER[1], "data": [[1], [1]]}]
    (output,) = tensors(server, rows).json["outputs"]
    assert output["shape"] == [2, 2]
    assert len(output["data"]) == 4
    negative, positive = output["data"][:2]
    assert positive > negative  # "good"
    assert output["data"][2] > output["data"][3]  # "bad"


def test_srv_03_4_a_trailing_nul_byte_is_kept(tmp_path: Path) -> None:
    """The element 61 00 has two bytes: with a limit of one byte the message says so, and an answer keeps its own."""
    one_byte = {"max_batch": 64, "max_item_bytes": 1}
    package = tiny_package(tmp_path / "p", limits=one_byte)
    raw = (2).to_bytes(4, "little") + b"a\x00"
    head = {
        "inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(raw)}}]
    }
    top = json.dumps(head).encode()
    with serving(tmp_path, str(package.path)) as served:
        headers = {"Inference-Header-Content-Length": str(len(top))}
        answer = served.ask("POST", "/v2/models/reviews/infer", top + raw, headers)
        assert (answer.status, answer.json["error"]) == (422, "item 0: text has 2 bytes, the limit is 1")
        message = service_pb2.ModelInferRequest(model_name="reviews", raw_input_contents=[raw])
        message.inputs.add(name="text", datatype="BYTES", shape=[1])
        with grpc.insecure_channel(f"127.0.0.1:{served.grpc}") as channel, pytest.raises(grpc.RpcError) as caught:
            service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(message, timeout=10)
        assert "text has 2 bytes" in caught.value.details()


@pytest.fixture(scope="module")
def graphs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The same through tensor packages: y = x / x, texts as they are, and two rows to their sums."""
    folder = tmp_path_factory.mktemp("graphs")
    run = Run(Store(folder / "store"), threads=1)
    made = {
        "ratio": graph([node("Div", "x x", "y")], [("x", "FLOAT", ["n"])], [("y", "FLOAT", ["n"])]),
        "echo": graph([node("Identity", "x", "y")], [("x", "STRING", ["n"])], [("y", "STRING", ["n"])]),
        "sums": graph(
            [node("ReduceSum", "x last", "y", keepdims=0)],
            [("x", "FLOAT", ["n", 2])],
            [("y", "FLOAT", ["n"])],
            {"last": np.array([1])},
        ),
    }
    paths = [
        str(adopt(saved(model, folder / f"{name}.onnx"), AdoptConfig(name=name), run).path)
        for name, model in made.items()
    ]
    with serving(tmp_path_factory.mktemp("graphs-server"), *paths) as served:
        yield served


def of_graph(server: Served, name: str, tensor: dict[str, Any], **more: Any) -> Answer:
    return server.ask("POST", f"/v2/models/{name}/infer", {"inputs": [{"name": "x", **tensor}], **more})


ZERO_AND_TWO = {"datatype": "FP32", "shape": [2], "data": [0.0, 2.0]}


def test_srv_01_a_graph_that_answers_nan_is_an_error_in_json_and_nan_in_bytes(graphs: Served) -> None:
    answer = of_graph(graphs, "ratio", ZERO_AND_TWO)
    assert answer.status == 422
    assert strict(answer.body) == {"error": "output y holds nan at [0]: JSON cannot carry it, binary data can"}
    binary = of_graph(graphs, "ratio", ZERO_AND_TWO, parameters={"binary_data_output": True})
    size = int(binary.headers["inference-header-content-length"])
    strict(binary.body[:size])
    message = service_pb2.ModelInferRequest(model_name="ratio")
    message.inputs.add(name="x", datatype="FP32", shape=[2]).contents.fp32_contents.extend([0.0, 2.0])
    with grpc.insecure_channel(f"127.0.0.1:{graphs.grpc}") as channel:
        stub = service_pb2_grpc.GRPCInferenceServiceStub(channel)
        typed = stub.ModelInfer(message, timeout=10)
        message.inputs[0].ClearField("contents")
        message.raw_input_contents.append(np.array([0.0, 2.0], "<f4").tobytes())
        raw = stub.ModelInfer(message, timeout=10)
    assert binary.body[size:] == raw.raw_output_contents[0]
    for found in (np.frombuffer(raw.raw_output_contents[0], "<f4"), np.array(typed.outputs[0].contents.fp32_contents)):
        assert np.isnan(found).tolist() == [True, False]
        assert found[1] == 1.0


def test_srv_03_of_a_graph_shapes_ids_and_nesting_are_read_alike(graphs: Served) -> None:
    wrong = of_graph(graphs, "sums", {"datatype": "FP32", "shape": "-1", "data": [1, 2]})
    assert (wrong.status, wrong.json["error"]) == (400, "input x: shape must be a list of numbers from 0, not '-1'")
    assert graphs.process.poll() is None
    nested = of_graph(graphs, "sums", {"datatype": "FP32", "shape": [1, 2], "data": [[1, 2]]})
    flat = of_graph(graphs, "sums", {"datatype": "FP32", "shape": [1, 2], "data": [1, 2]})
    assert nested.json["outputs"] == flat.json["outputs"]
    assert flat.json["outputs"] == [{"name": "y", "datatype": "FP32", "shape": [1], "data": [3.0]}]
    assert "id" not in flat.json
    rows = of_graph(graphs, "sums", {"datatype": "FP32", "shape": [2, 2], "data": [[1, 2], [3, 4]]}, id="mine")
    assert (rows.json["id"], rows.json["outputs"][0]["data"]) == ("mine", [3.0, 7.0])


def test_srv_03_4_a_graph_gets_and_gives_a_trailing_nul_byte(graphs: Served) -> None:
    raw = (2).to_bytes(4, "little") + b"a\x00"
    head = {
        "inputs": [{"name": "x", "datatype": "BYTES", "shape": [1], "parameters": {"binary_data_size": len(raw)}}],
        "parameters": {"binary_data_output": True},
    }
    top = json.dumps(head).encode()
    headers = {"Inference-Header-Content-Length": str(len(top))}
    answer = graphs.ask("POST", "/v2/models/echo/infer", top + raw, headers)
    assert answer.body[int(answer.headers["inference-header-content-length"]) :] == raw
    message = service_pb2.ModelInferRequest(model_name="echo", raw_input_contents=[raw])
    message.inputs.add(name="x", datatype="BYTES", shape=[1])
    with grpc.insecure_channel(f"127.0.0.1:{graphs.grpc}") as channel:
        response = service_pb2_grpc.GRPCInferenceServiceStub(channel).ModelInfer(message, timeout=10)
    assert list(response.raw_output_contents) == [raw]
    plain = of_graph(graphs, "echo", {"datatype": "BYTES", "shape": [1], "data": ["a\0"]})
    assert plain.json["outputs"][0]["data"] == ["a\0"]
