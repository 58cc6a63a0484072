from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tritonclient.grpc import InferResult, service_pb2

from modelyard.serve.grpc_codec import CONTENTS, asked, parse_message, render_message, render_piece_message
from modelyard.serve.problems import Problem
from modelyard.serve.protocol import messages
from modelyard.serve.requests import InferAnswer, InferRequest, Timings
from modelyard.serve.tensors import to_bytes
from modelyard.tasks.tensor.datatypes import DTYPES


def received(theirs: service_pb2.ModelInferRequest) -> InferRequest:
    """Over the wire: serialised by tritonclient's message, parsed by ours."""
    return parse_message(messages()["ModelInferRequest"].FromString(theirs.SerializeToString()))


@given(st.sampled_from(sorted(set(DTYPES) - {"FP16"})), st.data())
def test_typed_and_raw_contents_say_the_same(datatype: str, data: st.DataObject) -> None:
    dtype = DTYPES[datatype]
    if dtype.kind == "b":
        values = data.draw(st.lists(st.booleans(), min_size=1, max_size=4))
    elif dtype.kind == "f":
        values = data.draw(st.lists(st.floats(width=dtype.itemsize * 8, allow_nan=False), min_size=1, max_size=4))
    else:
        bounds = np.iinfo(dtype)
        values = data.draw(st.lists(st.integers(int(bounds.min), int(bounds.max)), min_size=1, max_size=4))
    array = np.array(values, dtype=dtype)
    typed, raw = service_pb2.ModelInferRequest(), service_pb2.ModelInferRequest()
    for message in (typed, raw):
        message.inputs.add(name="x", datatype=datatype, shape=[len(values)])
    getattr(typed.inputs[0].contents, CONTENTS[datatype]).extend(values)
    raw.raw_input_contents.append(to_bytes(array))
    for message in (typed, raw):
        found = received(message).inputs["x"].data
        assert found.dtype == dtype
        np.testing.assert_array_equal(found, array)


def test_parameters_and_requested_outputs_are_read() -> None:
    message = service_pb2.ModelInferRequest(id="7")
    message.inputs.add(name="text", datatype="BYTES", shape=[1]).contents.bytes_contents.append(b"a\x00")
    message.outputs.add(name="label").parameters["classification"].int64_param = 1
    message.parameters["timeout"].int64_param = 5
    request = received(message)
    assert request.id == "7"
    assert request.inputs["text"].data == [b"a\x00"]
    assert request.outputs == {"label": {"classification": 1}}
    assert request.parameters == {"timeout": 5}


@pytest.mark.parametrize("raw", [True, False])
def test_an_answer_is_read_by_tritonclient(raw: bool) -> None:
    outputs = {"label": np.array(["gut"], dtype=object), "score": np.array([np.nan], dtype=np.float32)}
    ours = render_message(
        messages()["ModelInferResponse"], "m", "2", InferRequest("i", {}), InferAnswer(outputs, 1, Timings()), raw=raw
    )
    theirs = service_pb2.ModelInferResponse.FromString(ours.SerializeToString())
    assert (theirs.model_name, theirs.model_version, theirs.id) == ("m", "2", "i")
    if raw:
        result = InferResult(theirs)
        assert result.as_numpy("label").tolist() == [b"gut"]
        assert np.isnan(result.as_numpy("score")).tolist() == [True]
    else:
        assert list(theirs.outputs[0].contents.bytes_contents) == [b"gut"]
        assert np.isnan(theirs.outputs[1].contents.fp32_contents[0])


def test_counts_that_do_not_fit_are_refused_by_name() -> None:
    message = service_pb2.ModelInferRequest()
    message.inputs.add(name="ids", datatype="INT64", shape=[3]).contents.int64_contents.extend([1, 2])
    with pytest.raises(Problem, match="input ids: shape"):
        received(message)
    message.raw_input_contents.extend([b"", b""])
    with pytest.raises(Problem, match="2 raw_input_contents for 1 inputs"):
        received(message)
    small = service_pb2.ModelInferRequest()
    small.inputs.add(name="ids", datatype="INT8", shape=[1]).contents.int_contents.append(300)
    with pytest.raises(Problem, match="out of the range of INT8"):
        received(small)


def test_an_answer_with_fp16_in_it_is_raw_throughout() -> None:
    """FP16 has no typed contents, and raw outputs stand for all outputs or for none."""
    outputs = {"half": np.array([0.5], dtype=np.float16), "ids": np.array([7], dtype=np.int64)}
    ours = render_message(
        messages()["ModelInferResponse"],
        "m",
        "1",
        InferRequest(None, {}),
        InferAnswer(outputs, 1, Timings()),
        raw=False,
    )
    result = InferResult(service_pb2.ModelInferResponse.FromString(ours.SerializeToString()))
    assert result.as_numpy("half").tolist() == [0.5]
    assert result.as_numpy("ids").tolist() == [7]


def test_a_piece_is_one_text_and_says_whether_it_is_the_last() -> None:
    request = InferRequest("k", {})
    kind = messages()["ModelInferResponse"]
    raw = render_piece_message(kind, "echo", "1", request, "text", "é", raw=True)
    assert (raw.id, list(raw.outputs[0].shape), raw.outputs[0].datatype) == ("k", [1], "BYTES")
    assert list(raw.raw_output_contents) == [b"\x02\x00\x00\x00\xc3\xa9"]
    assert raw.parameters["triton_final_response"].bool_param is False
    typed = render_piece_message(kind, "echo", "1", request, "text", "é", raw=False)
    assert list(typed.outputs[0].contents.bytes_contents) == ["é".encode()]
    last = render_piece_message(kind, "echo", "1", request, "text", None, raw=True)
    assert (len(last.outputs), last.parameters["triton_final_response"].bool_param) == (0, True)


def test_a_parameter_that_asks_for_pieces_is_true_or_false() -> None:
    assert asked(InferRequest(None, {}), "stream") is False
    assert asked(InferRequest(None, {}, None, {"stream": True}), "stream") is True
    with pytest.raises(Problem, match="the parameter stream must be true or false, not 'yes'"):
        asked(InferRequest(None, {}, None, {"stream": "yes"}), "stream")
