"""V2 over gRPC: messages to requests and answers to messages, in raw bytes or typed contents as the caller chose."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from modelyard.serve.problems import Problem, shortened
from modelyard.serve.requests import InferAnswer, InferRequest
from modelyard.serve.rest_codec import MAX_ID
from modelyard.serve.tensors import (
    Check,
    Tensor,
    answered_datatype,
    check_datatype,
    check_name,
    check_shape,
    from_bytes,
    to_bytes,
    unchecked,
)
from modelyard.tasks.tensor.datatypes import BYTES, DTYPES, join_bytes

# Parameters of a request on a stream (the first is ours, the second is set by tritonclient), and of its answers.
STREAM = "stream"
FINAL_WANTED = "triton_enable_empty_final_response"
FINAL = "triton_final_response"

# datatype -> field of InferTensorContents
CONTENTS = {
    "BOOL": "bool_contents",
    "INT8": "int_contents",
    "INT16": "int_contents",
    "INT32": "int_contents",
    "INT64": "int64_contents",
    "UINT8": "uint_contents",
    "UINT16": "uint_contents",
    "UINT32": "uint_contents",
    "UINT64": "uint64_contents",
    "FP32": "fp32_contents",
    "FP64": "fp64_contents",
    BYTES: "bytes_contents",
}


def read_message(kind: Any, data: bytes) -> Any:
    """Bytes to a message of class `kind`. Raises Problem 400: gRPC itself would call it a fault of the server."""
    from google.protobuf.message import DecodeError

    try:
        return kind.FromString(data)
    except DecodeError:
        raise Problem(400, f"the {len(data)} bytes are no {kind.DESCRIPTOR.name}") from None


def parse_message(message: Any, check: Check = unchecked) -> InferRequest:
    """A ModelInferRequest. Raises Problem 400 that names the input."""
    if not message.inputs:
        raise Problem(400, "the request has no inputs")
    raw = message.raw_input_contents
    if raw and len(raw) != len(message.inputs):
        raise Problem(400, f"{len(raw)} raw_input_contents for {len(message.inputs)} inputs")
    inputs: dict[str, Tensor] = {}
    for place, described in enumerate(message.inputs):
        name = check_name(described.name, "an input")
        if name in inputs:
            raise Problem(400, f"input {name} is given twice")
        datatype = check_datatype(name, described.datatype)
        shape = check_shape(name, list(described.shape))
        check(name, datatype, shape)
        if raw:
            if described.HasField("contents") and described.contents.ByteSize():
                raise Problem(400, f"input {name} has both contents and raw_input_contents")
            inputs[name] = from_bytes(name, datatype, shape, raw[place])
        else:
            inputs[name] = _from_contents(name, datatype, shape, described.contents)
    outputs = {check_name(one.name, "a requested output"): _parameters(one.parameters) for one in message.outputs}
    if len(message.id) > MAX_ID:
        raise Problem(400, f"id has {len(message.id)} characters, the limit is {MAX_ID}")
    return InferRequest(message.id or None, inputs, outputs or None, _parameters(message.parameters))


def asked(request: InferRequest, parameter: str) -> bool:
    """Whether the request asks for something. Raises Problem 400 for a parameter that is neither true nor false."""
    value = request.parameters.get(parameter, False)
    if not isinstance(value, bool):
        raise Problem(400, f"the parameter {parameter} must be true or false, not {shortened(value)}")
    return value


def _from_contents(name: str, datatype: str, shape: tuple[int, ...], contents: Any) -> Tensor:
    field = CONTENTS.get(datatype)
    if field is None:
        raise Problem(400, f"input {name}: {datatype} has no typed contents, use raw_input_contents")
    values = getattr(contents, field)
    if len(values) != math.prod(shape):
        raise Problem(
            400, f"input {name}: shape {list(shape)} holds {math.prod(shape)} elements, {field} has {len(values)}"
        )
    if datatype == BYTES:
        return Tensor(name, datatype, shape, list(values))
    try:
        array = np.array(list(values), dtype=DTYPES[datatype])
    except OverflowError:
        raise Problem(400, f"input {name}: a number is out of the range of {datatype}") from None
    return Tensor(name, datatype, shape, array.reshape(shape))


def _parameters(fields: Any) -> dict[str, Any]:
    shown = {}
    for key, value in fields.items():
        kind = value.WhichOneof("parameter_choice")
        shown[key] = getattr(value, kind) if kind else None
    return shown


def render_message(
    kind: Any, model: str, version: str, request: InferRequest, answer: InferAnswer, *, raw: bool = True
) -> Any:
    """A ModelInferResponse of message class `kind`; NaN and infinities are kept as they are.

    All outputs in raw bytes, also where one of them has no typed contents (FP16): the protocol does not mix the two.
    """
    datatypes = {name: answered_datatype(array) for name, array in answer.outputs.items()}
    raw = raw or not CONTENTS.keys() >= set(datatypes.values())
    response = kind(model_name=model, model_version=version)
    if request.id is not None:
        response.id = request.id
    for name, array in answer.outputs.items():
        datatype = datatypes[name]
        output = response.outputs.add(name=name, datatype=datatype, shape=array.shape)
        if raw:
            response.raw_output_contents.append(to_bytes(array))
        else:
            values = array.ravel().tolist()
            if datatype == BYTES:
                values = [value.encode() if isinstance(value, str) else value for value in values]
            getattr(output.contents, CONTENTS[datatype]).extend(values)
    return response


def render_piece_message(
    kind: Any, model: str, version: str, request: InferRequest, output: str, piece: str | None, *, raw: bool
) -> Any:
    """A piece of an answer as a ModelInferResponse of that output; None: the empty one that says that it was all."""
    response = kind(model_name=model, model_version=version)
    response.parameters[FINAL].bool_param = piece is None
    if request.id is not None:
        response.id = request.id
    if piece is not None:
        data = piece.encode()
        described = response.outputs.add(name=output, datatype=BYTES, shape=[1])
        if raw:
            response.raw_output_contents.append(join_bytes([data]))
        else:
            described.contents.bytes_contents.append(data)
    return response
