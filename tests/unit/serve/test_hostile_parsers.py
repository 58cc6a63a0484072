"""Whatever bytes, JSON or message come in: each parser answers or raises Problem, and nothing else."""

from __future__ import annotations

import json
import math
from types import SimpleNamespace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from tritonclient.grpc import service_pb2

from modelyard.monitor import ecs
from modelyard.monitor.json_log import _as_json
from modelyard.serve.grpc_codec import parse_message, read_message
from modelyard.serve.handler import Handler, check_described, check_inputs, requested_outputs, whole_work
from modelyard.serve.predict import parse_instances
from modelyard.serve.problems import MESSAGE, Problem, shortened
from modelyard.serve.protocol import messages
from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferRequest
from modelyard.serve.rest_codec import check_content_type, decompress, parse_request, read_json
from modelyard.serve.served_model import Signature
from modelyard.serve.settings import ServeSettings
from modelyard.serve.tensors import check_shape, from_bytes, from_json
from modelyard.tasks.tensor.datatypes import DTYPES

PATIENT = settings(suppress_health_check=[HealthCheck.too_slow], deadline=None)
# What a caller may write as JSON: also numbers beyond 64 bits, deep lists, odd text.
ATOMS = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.floats() | st.text(max_size=8)
KEYS = st.sampled_from(["name", "datatype", "shape", "data", "parameters", "inputs", "outputs", "id", "instances"])
JSON = st.recursive(
    ATOMS, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=12
)

LEVELS = st.sampled_from(["text", "tensor", "whole", "stacked"])


def endpoint(name: str = "text") -> Endpoint:
    """`text` or `tensor`, two levels as a text classifier has them; `whole` or `stacked`, of a tensor package."""
    described = {
        "text": {
            "inputs": [{"name": "text", "datatype": "BYTES", "shape": [-1]}],
            "outputs": [{"name": "label", "datatype": "BYTES", "shape": [-1]}],
        },
        "tensor": {
            "inputs": [{"name": "ids", "datatype": "INT64", "shape": [-1, -1]}],
            "outputs": [{"name": "logits", "datatype": "FP32", "shape": [-1, 2]}],
        },
        "whole": {
            "inputs": [
                {"name": "ids", "datatype": "INT64", "shape": []},
                {"name": "text", "datatype": "BYTES", "shape": [-1, 2]},
            ],
            "outputs": [{"name": "label", "datatype": "BYTES", "shape": []}],
        },
        "stacked": {
            "inputs": [{"name": "ids", "datatype": "INT64", "shape": [-1, 2]}],
            "outputs": [{"name": "label", "datatype": "FP32", "shape": [-1]}],
        },
    }[name]
    signature = Signature.read(described)
    model: Any = SimpleNamespace(max_batch=8, max_item_bytes=100, name="m", tensor_name="m.tensor")
    model.tensor = None if name in ("whole", "stacked") else signature
    model.stacked = name == "stacked"
    return Endpoint(model, signature, name != "text")


def refused(function: Any, *arguments: Any) -> None:
    """Call it: it answers, or says what is wrong in a sentence of bounded length."""
    try:
        function(*arguments)
    except Problem as problem:
        assert problem.status in (400, 413, 415, 422)
        assert 0 < len(problem.message) <= MESSAGE
        orjson.dumps({"error": problem.message})


def whole(body: bytes, length: int | None, level: str) -> None:
    """All that a request goes through before its items are read."""
    at = endpoint(level)
    request = parse_request(body, length, lambda *said: check_described(at, *said))
    check_inputs(at, request)
    requested_outputs(at, request)
    if at.tensor_level:
        whole_work(at, request, None, 1.0)  # type: ignore[arg-type]
    Handler._timeout(Handler(None, ServeSettings(())), request)  # type: ignore[arg-type]


@PATIENT
@given(st.binary(max_size=200), st.none() | st.integers(0, 300), LEVELS)
def test_any_bytes_as_a_body(body: bytes, length: int | None, level: str) -> None:
    refused(whole, body, length, level)
    refused(read_json, body)


@PATIENT
@given(JSON, LEVELS)
def test_any_json_as_a_body(value: Any, level: str) -> None:
    body = json.dumps(value).encode()
    refused(whole, body, None, level)
    refused(lambda: parse_instances(endpoint(level), read_json(body)))


SHAPES = st.lists(st.integers(-2, 3) | st.integers(0, 2**63), max_size=4) | JSON
DATATYPES = st.sampled_from(["BYTES", *DTYPES]) | JSON


@PATIENT
@given(DATATYPES, SHAPES, JSON, JSON, st.sampled_from(["text", "ids", "x"]), LEVELS)
def test_any_input(datatype: Any, shape: Any, data: Any, parameters: Any, name: str, level: str) -> None:
    one = {"name": name, "datatype": datatype, "shape": shape, "data": data}
    for described in (one, {**one, "parameters": parameters}):
        refused(whole, json.dumps({"inputs": [described], "parameters": parameters}).encode(), None, level)


@PATIENT
@given(JSON, LEVELS)
def test_any_instances(value: Any, level: str) -> None:
    for body in ({"instances": value}, {"instances": [value]}, {"instances": [value, value]}):
        text = json.dumps(body)
        refused(lambda text=text: parse_instances(endpoint(level), read_json(text.encode())))


@given(st.sampled_from(["BYTES", *DTYPES]), st.lists(st.integers(0, 3) | st.integers(0, 2**64), max_size=20))
def test_a_shape_that_passes_can_be_made(datatype: str, sizes: list[int]) -> None:
    """Also one that is empty: NumPy cannot make an array of 0 times 2^62."""
    try:
        shape = check_shape("x", sizes)
    except Problem:
        return
    if math.prod(shape) == 0:
        assert len(from_json("x", datatype, shape, []).data) == (0 if datatype == "BYTES" or not shape else shape[0])
        from_bytes("x", datatype, shape, b"")


@PATIENT
@given(st.binary(max_size=200))
def test_any_bytes_as_a_message(data: bytes) -> None:
    refused(lambda: parse_message(read_message(messages()["ModelInferRequest"], data)))


PARAMETERS = st.one_of(
    st.integers(-(2**63), 2**63 - 1).map(lambda value: ("int64_param", value)),
    st.floats().map(lambda value: ("double_param", value)),
    st.text(max_size=8).map(lambda value: ("string_param", value)),
    st.booleans().map(lambda value: ("bool_param", value)),
)


@PATIENT
@given(
    st.sampled_from(["BYTES", *DTYPES, "", "x"]),
    st.lists(st.integers(-2, 3) | st.integers(-(2**63), 2**63 - 1), max_size=18),
    st.lists(st.integers(-(2**63), 2**63 - 1), max_size=4),
    st.lists(st.binary(max_size=12), max_size=3),
    PARAMETERS,
)
def test_any_message(
    datatype: str, shape: list[int], values: list[int], raw: list[bytes], parameter: tuple[str, Any]
) -> None:
    for level, name in (("text", "text"), ("tensor", "ids"), ("whole", "ids"), ("whole", "text"), ("stacked", "ids")):
        message = service_pb2.ModelInferRequest(raw_input_contents=raw)
        message.inputs.add(name=name, datatype=datatype, shape=shape).contents.int64_contents.extend(values)
        setattr(message.parameters["timeout"], *parameter)
        at = endpoint(level)

        def read(at: Endpoint = at, data: bytes = message.SerializeToString()) -> None:
            parsed = read_message(messages()["ModelInferRequest"], data)
            request = parse_message(parsed, lambda *said: check_described(at, *said))
            check_inputs(at, request)
            if at.tensor_level:
                whole_work(at, request, None, 1.0)  # type: ignore[arg-type]
            Handler._timeout(Handler(None, ServeSettings(())), request)  # type: ignore[arg-type]

        refused(read)


@given(st.binary(max_size=100), st.sampled_from(["gzip", "deflate"]) | st.text(max_size=8))
def test_any_bytes_as_compressed(body: bytes, encoding: str) -> None:
    refused(decompress, body, encoding, 1000)


@given(st.none() | st.binary(max_size=60))
def test_any_content_type(given_type: bytes | None) -> None:
    refused(check_content_type, given_type)


KINDS = ["application/json", "application/x-www-form-urlencoded", "text/plain; charset=UTF-8"]


@pytest.mark.parametrize("given_type", KINDS)
def test_content_types_that_clients_send_pass(given_type: str) -> None:
    check_content_type(given_type.encode())


def test_a_value_in_a_message_is_looked_at_in_part_only() -> None:
    deep: list[Any] = []
    for _ in range(100_000):
        deep = [deep]
    for value in (deep, ["a" * 10] * 1_000_000, {str(n): n for n in range(1000)}, "b" * 10_000_000, 10**4000):
        assert len(shortened(value)) <= 60
    with pytest.raises(Problem) as caught:
        raise Problem(400, "m" * 5000)
    assert len(caught.value.message) == MESSAGE


TIMEOUTS = [1, 5.0, True, "7", 10**30, "9" * 4000, math.inf, math.nan, -math.inf, [], {}, -1]


@pytest.mark.parametrize("given_timeout", TIMEOUTS)
def test_any_timeout_is_a_time_or_refused(given_timeout: Any) -> None:
    request = InferRequest(None, {}, None, {"timeout": given_timeout})
    try:
        seconds = Handler(None, ServeSettings(()))._timeout(request)  # type: ignore[arg-type]
    except Problem as problem:
        assert "the parameter timeout must be a number of microseconds" in problem.message
    else:
        assert 0 < seconds <= 30


ANY_TEXT = st.text(st.characters(), max_size=8)  # half surrogate pairs too
LOGGED = st.recursive(
    ATOMS | st.binary(max_size=4) | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(sorted(ecs.FIELDS)) | st.sampled_from(["user", "http", "a.b"]) | ANY_TEXT


@PATIENT
@example({"modelyard.models": [-(2**63) - 1]})
@given(st.dictionaries(NAMES, LOGGED, max_size=5))
def test_anything_that_is_logged_is_one_line_of_json_with_one_type_a_name(fields: dict[str, Any]) -> None:
    line = _as_json(ecs.typed(fields))
    assert line.count(b"\n") == 1
    for name, value in json.loads(line).items():
        if value is not None:
            wanted = ecs.FIELDS.get(name, str)
            assert isinstance(value, (int, float) if wanted is float else wanted), (name, value)
