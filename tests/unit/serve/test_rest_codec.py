from __future__ import annotations

import gzip
from typing import Any

import numpy as np
import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tritonclient import http as tritonhttp

from modelyard.serve.problems import Problem
from modelyard.serve.requests import InferAnswer, Timings
from modelyard.serve.rest_codec import decompress, parse_request, render_answer

TEXTS = st.lists(st.text(st.characters(exclude_categories=("Cs",)), max_size=20), min_size=1, max_size=5)
WORDS = st.sampled_from(["", "text", "BYTES", "INT64", "name", "data", "binary_data_size"])
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=6,
)
# The first draw of these is slow on a busy machine, not the parser.
PATIENT = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)


def triton_body(texts: list[str], binary: bool, **more: Any) -> tuple[bytes, int | None]:
    """What tritonclient would send."""
    tensor = tritonhttp.InferInput("text", [len(texts)], "BYTES")
    tensor.set_data_from_numpy(np.array([text.encode() for text in texts], dtype=object), binary_data=binary)
    return tritonhttp.InferenceServerClient.generate_request_body([tensor], **more)


@given(TEXTS, st.booleans())
def test_what_tritonclient_sends_is_read_as_it_was_meant(texts: list[str], binary: bool) -> None:
    body, length = triton_body(texts, binary, request_id="r1")
    request = parse_request(body, length)
    values = [value.decode() if isinstance(value, bytes) else value for value in request.inputs["text"].data]
    assert values == texts
    assert request.id == "r1"
    assert request.parameters["binary_data_output"] is True


def answer() -> InferAnswer:
    outputs = {
        "label": np.array(["gut\x00", "schön"], dtype=object),
        "scores": np.array([[0.1, 0.9], [0.25, 0.75]], dtype=np.float32),
    }
    return InferAnswer(outputs, 2, Timings())


def test_a_binary_answer_is_read_by_tritonclient() -> None:
    request = parse_request(*triton_body(["a"], True))
    body, length = render_answer("m", "3", request, answer())
    result = tritonhttp.InferenceServerClient.parse_response_body(body, header_length=length)
    assert result.as_numpy("label").tolist() == [b"gut\x00", "schön".encode()]
    np.testing.assert_array_equal(result.as_numpy("scores"), np.float32([[0.1, 0.9], [0.25, 0.75]]))
    assert result.get_response()["model_version"] == "3"


def test_a_json_answer_has_the_shortest_digits_and_no_id_that_was_not_given() -> None:
    request = parse_request(b'{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["a"]}]}', None)
    body, length = render_answer("m", "3", request, answer())
    assert length is None
    assert orjson.loads(body) == {
        "model_name": "m",
        "model_version": "3",
        "outputs": [
            {"name": "label", "datatype": "BYTES", "shape": [2], "data": ["gut\x00", "schön"]},
            {"name": "scores", "datatype": "FP32", "shape": [2, 2], "data": [0.1, 0.9, 0.25, 0.75]},
        ],
    }


def test_one_output_can_be_binary_beside_another_in_json() -> None:
    outputs = [
        tritonhttp.InferRequestedOutput("scores", binary_data=True),
        tritonhttp.InferRequestedOutput("label", binary_data=False),
    ]
    request = parse_request(*triton_body(["a"], True, outputs=outputs))
    body, length = render_answer("m", "3", request, answer())
    head = orjson.loads(body[:length])
    assert head["outputs"][0]["data"] == ["gut\x00", "schön"]
    assert head["outputs"][1]["parameters"] == {"binary_data_size": 16}


def test_nan_is_refused_in_json_and_kept_in_binary() -> None:
    broken = answer()
    broken.outputs["scores"][1, 0] = np.nan
    plain = parse_request(b'{"inputs":[{"name":"text","datatype":"BYTES","shape":[1],"data":["a"]}]}', None)
    with pytest.raises(Problem, match=r"output scores holds nan at \[1, 0\]") as caught:
        render_answer("m", "3", plain, broken)
    assert caught.value.status == 500
    body, length = render_answer("m", "3", parse_request(*triton_body(["a"], True)), broken)
    result = tritonhttp.InferenceServerClient.parse_response_body(body, header_length=length)
    assert np.isnan(result.as_numpy("scores")[1, 0])


@PATIENT
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(("id", "inputs", "outputs", "parameters"), JSON_VALUES)))
def test_no_json_makes_more_than_a_problem(value: dict[str, Any]) -> None:
    try:
        parse_request(orjson.dumps(value), None)
    except Problem as problem:
        assert problem.status == 400


@PATIENT
@given(
    st.fixed_dictionaries(
        {"name": st.just("text")},
        optional={
            "datatype": st.just("BYTES") | JSON_VALUES,
            "shape": st.just([1]) | JSON_VALUES,
            "data": JSON_VALUES,
            "parameters": JSON_VALUES,
        },
    ),
    st.binary(max_size=20),
    st.integers(0, 20),
)
def test_no_input_makes_more_than_a_problem(one: dict[str, Any], tail: bytes, cut: int) -> None:
    body = orjson.dumps({"inputs": [one]})
    for data, length in ((body, None), (body + tail, len(body)), (body + tail, cut)):
        try:
            parse_request(data, length)
        except Problem as problem:
            assert problem.status == 400


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff\xfe", b'"text"', b"null"])
def test_a_body_that_is_no_json_object_is_a_400(body: bytes) -> None:
    with pytest.raises(Problem) as caught:
        parse_request(body, None)
    assert caught.value.status == 400


def test_binary_data_that_nobody_claims_is_refused() -> None:
    body, length = triton_body(["abc"], True)
    with pytest.raises(Problem, match="3 bytes of binary data belong to no input"):
        parse_request(body + b"abc", length)


def test_a_compressed_body_is_unpacked_up_to_the_limit() -> None:
    assert decompress(gzip.compress(b"a" * 100), "gzip", 100) == b"a" * 100
    with pytest.raises(Problem) as caught:
        decompress(gzip.compress(b"a" * 10_000_000), "gzip", 1000)
    assert caught.value.status == 413
    for body, encoding in ((b"abc", "gzip"), (gzip.compress(b"a" * 50)[:-4], "gzip"), (b"abc", "br")):
        with pytest.raises(Problem) as caught:
            decompress(body, encoding, 1000)
        assert caught.value.status == 400
