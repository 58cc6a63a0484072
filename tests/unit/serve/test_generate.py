from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.serve.generate import event, parse_generate, render_generated, render_piece
from modelyard.serve.predict import render_predictions
from modelyard.serve.problems import Problem
from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferAnswer, InferRequest, Timings
from modelyard.serve.served_model import Signature


def endpoint(*shape: int, tensor_level: bool = False) -> Endpoint:
    spec = {"name": "text", "datatype": "BYTES", "shape": [-1, *shape]}
    signature = Signature.read({"inputs": [spec], "outputs": [spec]})
    model = SimpleNamespace(name="echo", version="3", tensor=signature, max_batch=4, public=signature)
    return Endpoint(cast(Any, model), Signature(signature.inputs, signature.outputs), tensor_level)


def events(stream: bytes) -> list[str]:
    """The data of every event, read as the HTML standard says: lines end with CR LF, LF or CR."""
    found: list[str] = []
    data: list[str] = []
    text = stream.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    for line in text.split("\n"):
        if not line:
            if data:
                found.append("\n".join(data))
            data = []
            continue
        field, _, value = line.partition(":")
        assert field == "data"
        data.append(value.removeprefix(" "))
    return found


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=20))
def test_whatever_the_pieces_hold_an_event_is_one_piece(pieces: list[str]) -> None:
    request = InferRequest("k", {})
    stream = b"".join(event(render_piece(endpoint(), request, piece)) for piece in pieces)
    assert [orjson.loads(data) for data in events(stream)] == [
        {"id": "k", "model_name": "echo", "model_version": "3", "text": piece} for piece in pieces
    ]


def test_one_value_is_one_item_and_a_list_is_several() -> None:
    one = parse_generate(endpoint(), {"text": "a", "id": "x", "parameters": {"timeout": 5}})
    assert (one.inputs["text"].shape, one.inputs["text"].data) == ((1,), ["a"])
    assert (one.id, one.parameters) == ("x", {"timeout": 5})
    two = parse_generate(endpoint(), {"text": ["a", "b"]})
    assert (two.inputs["text"].shape, two.inputs["text"].data) == ((2,), ["a", "b"])
    pair = parse_generate(endpoint(2), {"text": ["a", "b"]})
    assert (pair.inputs["text"].shape, pair.inputs["text"].data) == ((1, 2), ["a", "b"])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ({}, "the input text is missing"),
        ({"text": "a", "temperature": 0.5}, "'temperature' is not known here, only text, id, parameters"),
        ({"text": 1}, "data holds 1, which is not BYTES"),
        ({"text": []}, "the input text holds no item"),
        ({"text": None}, "data holds None"),
        ({"text": {"a": 1}}, "which is not BYTES"),
        ({"text": [["a"], ["b", "c"]]}, "data is not nested as its shape [2, 1] says"),
        ({"text": ["a"] * 5}, "5 items in one request, the limit is 4"),
        ({"text": "a", "id": 3}, "id must be a string"),
        ({"text": "a", "parameters": []}, "must be an object"),
    ],
)
def test_what_is_wrong_is_named(body: dict[str, Any], message: str) -> None:
    with pytest.raises(Problem) as caught:
        parse_generate(endpoint(), body)
    assert caught.value.status == 400
    assert message in caught.value.message


def test_a_model_of_tensors_is_asked_elsewhere() -> None:
    with pytest.raises(Problem, match="ask /v2/models/echo/infer"):
        parse_generate(endpoint(tensor_level=True), {"text": "a"})


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=3),
        max_leaves=12,
    )
)
def test_no_value_is_more_than_a_400(value: Any) -> None:
    try:
        request = parse_generate(endpoint(), {"text": value})
    except Problem as problem:
        assert problem.status == 400
    else:
        assert all(isinstance(text, str) for text in request.inputs["text"].data)


def test_answers_are_plain_values() -> None:
    request = InferRequest(None, {})
    outputs = {"text": np.array(["a", "b"], dtype=object), "score": np.array([-0.5, -0.25], dtype=np.float32)}
    both = orjson.loads(render_generated(endpoint(), request, InferAnswer(outputs, 2, Timings())))
    assert both == {"model_name": "echo", "model_version": "3", "text": ["a", "b"], "score": [-0.5, -0.25]}
    first = {name: array[:1] for name, array in outputs.items()}
    one = orjson.loads(render_generated(endpoint(), request, InferAnswer(first, 1, Timings())))
    assert (one["text"], one["score"]) == ("a", -0.5)


def test_numbers_that_lie_otherwise_in_memory_are_answered() -> None:
    answer = InferAnswer({"grid": np.arange(6, dtype=np.float32).reshape(3, 2).T}, 2, Timings())
    generated = orjson.loads(render_generated(endpoint(), InferRequest(None, {}), answer))
    assert generated["grid"] == [[0, 2, 4], [1, 3, 5]]
    assert orjson.loads(render_predictions(answer)) == {"predictions": [[0, 2, 4], [1, 3, 5]]}


def test_an_answer_that_is_no_number_is_refused() -> None:
    answer = InferAnswer({"score": np.array([np.nan], dtype=np.float32)}, 1, Timings())
    with pytest.raises(Problem, match="output score holds nan"):
        render_generated(endpoint(), InferRequest(None, {}), answer)
