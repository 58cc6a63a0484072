"""A server asked over HTTP: by tritonclient, and by hand."""

from __future__ import annotations

import gzip
import http.client
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
import tritonclient.http as tritonhttp

from tests.packages import TEXTS, break_variant, tiny_package
from tests.real.servers import Served, serving
from tests.real.triton_clients import EXPECTED, PUBLIC_OUTPUTS, texts_for

pytestmark = pytest.mark.e2e


# tritonclient -------------------------------------------------------------------------------------------------------


def test_tritonclient_reads_health_and_metadata_over_http(over_http: tritonhttp.InferenceServerClient) -> None:
    assert over_http.is_server_live()
    assert over_http.is_server_ready()
    assert over_http.is_model_ready("reviews")
    assert over_http.is_model_ready("reviews", "1")
    assert not over_http.is_model_ready("nothing")
    assert over_http.get_server_metadata()["name"] == "modelyard"
    metadata = over_http.get_model_metadata("reviews")
    assert (metadata["name"], metadata["versions"]) == ("reviews", ["1"])
    assert metadata["inputs"] == [{"name": "text", "datatype": "BYTES", "shape": [-1]}]
    assert {out["name"]: (out["datatype"], out["shape"]) for out in metadata["outputs"]} == PUBLIC_OUTPUTS
    assert [model["name"] for model in over_http.get_model_repository_index()] == ["reviews"]


@pytest.mark.parametrize("binary", [True, False])
def test_tritonclient_sends_raw_text_and_gets_labels_over_http(
    over_http: tritonhttp.InferenceServerClient, binary: bool
) -> None:
    result = over_http.infer("reviews", [texts_for(tritonhttp, TEXTS[:8], binary)], request_id="r7")
    labels = [value.decode() if isinstance(value, bytes) else value for value in result.as_numpy("label").tolist()]
    assert labels == EXPECTED
    scores = result.as_numpy("scores")
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores.sum(axis=1), 1.0, rtol=1e-6)
    np.testing.assert_array_equal(result.as_numpy("score"), scores.max(axis=1))
    assert result.get_response()["id"] == "r7"
    assert result.get_response()["model_version"] == "1"


def test_the_same_answers_come_in_json_and_in_binary(over_http: tritonhttp.InferenceServerClient) -> None:
    answers = []
    for binary in (True, False):
        outputs = [tritonhttp.InferRequestedOutput("scores", binary_data=binary)]
        result = over_http.infer("reviews", [texts_for(tritonhttp, TEXTS)], outputs=outputs)
        assert result.as_numpy("label") is None
        answers.append(result.as_numpy("scores"))
    np.testing.assert_array_equal(answers[0], answers[1])


def test_a_compressed_request_is_read(over_http: tritonhttp.InferenceServerClient) -> None:
    for algorithm in ("gzip", "deflate"):
        result = over_http.infer("reviews", [texts_for(tritonhttp, TEXTS[:2])], request_compression_algorithm=algorithm)
        assert result.as_numpy("label").tolist() == [b"positive", b"positive"]


def test_the_tensor_level_answers_under_its_own_name(over_http: tritonhttp.InferenceServerClient) -> None:
    metadata = over_http.get_model_metadata("reviews.tensor")
    assert [tensor["name"] for tensor in metadata["inputs"]] == ["input_ids", "attention_mask"]
    tensors = []
    for name, values in (("input_ids", [[2, 4, 3], [2, 8, 3]]), ("attention_mask", [[1, 1, 1], [1, 1, 1]])):
        tensor = tritonhttp.InferInput(name, [2, 3], "INT64")
        tensor.set_data_from_numpy(np.array(values, dtype=np.int64))
        tensors.append(tensor)
    logits = over_http.infer("reviews.tensor", tensors).as_numpy("logits")
    assert logits.shape == (2, 2)
    assert logits.argmax(axis=1).tolist() == [1, 0]


def test_tensors_that_the_graph_does_not_take_are_the_callers_fault(server: Served) -> None:
    def tensor(name: str, shape: list[int], data: list[int]) -> dict[str, object]:
        return {"name": name, "datatype": "INT64", "shape": shape, "data": data}

    mask = tensor("attention_mask", [1, 2], [1, 1])
    for ids, part in (
        (tensor("input_ids", [1, 2], [2, 999_999]), "the graph does not take these tensors"),
        (tensor("input_ids", [2, 2], [2, 3, 2, 3]), "hold different numbers of items"),
        (tensor("input_ids", [2], [2, 3]), "its shape is [-1, -1]"),
    ):
        answer = server.ask("POST", "/v2/models/reviews.tensor/infer", {"inputs": [ids, mask]})
        assert answer.status == 400
        assert part in answer.json["error"]


# By hand ------------------------------------------------------------------------------------------------------------


def test_a_column_of_texts_is_accepted_and_headers_name_version_and_request(server: Served) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [2, 1], "data": [["good"], ["bad"]]}
    answer = server.ask("POST", "/v2/models/reviews/versions/1/infer", {"inputs": [tensor]}, {"X-Request-Id": "me-1"})
    assert answer.status == 200
    assert answer.json["outputs"][0]["data"] == ["positive", "negative"]
    assert (answer.headers["x-modelyard-version"], answer.headers["x-request-id"]) == ("1", "me-1")
    assert "id" not in answer.json
    made = server.infer("good", id="x")
    assert made.json["id"] == "x"
    assert re.fullmatch("[0-9a-f]{32}", made.headers["x-request-id"])


def test_the_second_door_takes_instances(server: Served) -> None:
    answer = server.ask("POST", "/v1/models/reviews:predict", {"instances": ["good", {"text": "bad"}]})
    assert [one["label"] for one in answer.json["predictions"]] == ["positive", "negative"]
    assert set(answer.json["predictions"][0]) == {"label", "score", "scores"}
    assert server.ask("POST", "/v1/models/reviews/versions/1:predict", {"instances": ["a"]}).status == 200
    assert server.ask("POST", "/v1/models/reviews/labels/champion:predict", {"instances": ["a"]}).status == 404
    assert server.ask("POST", "/v1/models/reviews:predict", {"instances": [{"txt": "a"}]}).status == 400
    listed = server.ask("GET", "/v1/models").json
    assert (listed["object"], [model["id"] for model in listed["data"]]) == ("list", ["reviews"])


@pytest.mark.parametrize(
    ("change", "status", "part"),
    [
        ({"datatype": "INT64", "data": [1]}, 400, "input text: its datatype is BYTES, not INT64"),
        ({"datatype": "TEXT"}, 400, "there is no datatype 'TEXT'"),
        ({"shape": [2]}, 400, "input text: shape [2] holds 2 elements, data has 1"),
        ({"shape": [1, 2], "data": ["a", "b"]}, 400, "input text: its shape is [-1]"),
        ({"shape": [0], "data": []}, 400, "holds no item"),
        ({"shape": [65], "data": ["a"] * 65}, 400, "65 items in one request, the limit is 64"),
        ({"name": "txt"}, 400, "has no input txt; its inputs: text"),
        ({"data": [""]}, 422, "item 0: the text is empty"),
        ({"shape": [3], "data": ["a", "b", " "]}, 422, "item 2: the text is empty"),
        ({"data": ["a" * 100_001]}, 422, "item 0: text has 100001 bytes, the limit is 100000"),
    ],
)
def test_an_input_that_cannot_be_used_is_named(
    server: Served, change: dict[str, object], status: int, part: str
) -> None:
    tensor = {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"], **change}
    answer = server.ask("POST", "/v2/models/reviews/infer", {"inputs": [tensor]})
    assert answer.status == status
    assert part in answer.json["error"]


def test_wrong_requests_are_answered_in_kind(server: Served) -> None:
    infer = "/v2/models/reviews/infer"
    good = {"inputs": [{"name": "text", "datatype": "BYTES", "shape": [1], "data": ["good"]}]}
    for method, path, body, status in [
        ("POST", infer, b"{", 400),
        ("POST", infer, b"", 400),
        ("POST", infer, {"inputs": []}, 400),
        ("POST", infer, {**good, "outputs": [{"name": "logits"}]}, 400),
        ("GET", infer, None, 405),
        ("POST", "/v2/models/nothing/infer", good, 404),
        ("POST", "/v2/models/reviews/versions/2/infer", good, 404),
        ("GET", "/v2/models/reviews/nothing", None, 404),
        ("GET", "/nothing", None, 404),
    ]:
        answer = server.ask(method, path, body)
        assert (answer.status, list(answer.json)) == (status, ["error"]), path
    assert server.ask("POST", infer, b"{}", {"Inference-Header-Content-Length": "99"}).status == 400
    assert server.ask("POST", infer, b"{}", {"Inference-Header-Content-Length": "x"}).status == 400
    assert server.ask("POST", infer, gzip.compress(b"{}"), {"Content-Encoding": "br"}).status == 400
    assert server.infer("good").status == 200


def test_a_body_that_is_too_large_is_refused_before_it_is_read(server: Served) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.http, timeout=10)
    connection.putrequest("POST", "/v2/models/reviews/infer")
    connection.putheader("Content-Length", str(1 << 40))
    connection.endheaders()
    answer = connection.getresponse()
    assert answer.status == 413
    connection.close()


def test_requests_from_many_callers_get_their_own_answers(server: Served) -> None:
    def ask(number: int) -> bool:
        text = TEXTS[number % 8]
        return bool(server.infer(text, text).json["outputs"][0]["data"] == [EXPECTED[number % 8]] * 2)

    with ThreadPoolExecutor(16) as pool:
        assert all(pool.map(ask, range(200)))


def test_nan_of_one_text_is_an_error_in_json_and_kept_in_binary(tmp_path: Path) -> None:
    texts = ("good film", "bad film")
    package = tiny_package(tmp_path / "p", texts=texts)
    break_variant(package, "float", "rare_nan")
    with serving(tmp_path, str(package.path)) as served:
        answer = served.infer("boring", outputs=[{"name": "score"}])
        assert answer.status == 500
        assert "output score holds nan at [0]" in answer.json["error"]
        client = tritonhttp.InferenceServerClient(f"127.0.0.1:{served.http}")
        score = client.infer("reviews", [texts_for(tritonhttp, ("boring", "good"))]).as_numpy("score")
        client.close()
        assert np.isnan(score).tolist() == [True, False]
