"""Triton's generate extension over HTTP: inputs as plain JSON values, answers as plain JSON or as Server-Sent Events.

Sources: Triton's generate extension (docs/protocol/extension_generate.md), and the HTML standard's event stream format,
https://html.spec.whatwg.org/multipage/server-sent-events.html
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from modelyard.serve.handler import check_described
from modelyard.serve.predict import shape_of
from modelyard.serve.problems import Problem, shortened
from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferAnswer, InferRequest
from modelyard.serve.rest_codec import check_finite, read_identity, read_parameters
from modelyard.serve.tensors import check_shape, from_json

KEYS = ("id", "parameters")


def parse_generate(endpoint: Endpoint, body: dict[str, Any]) -> InferRequest:
    """{input: value, ..., "id"?, "parameters"?}: a value of one item stands for itself, several are a list.

    Raises Problem 400 that names the key; one that is not known is refused, for nobody would see that it does nothing.
    """
    if endpoint.tensor_level:
        raise Problem(400, f"{endpoint.name} takes tensors: ask /v2/models/{endpoint.name}/infer")
    specs = endpoint.signature.inputs
    for key in body:
        if key not in specs and key not in KEYS:
            raise Problem(400, f"{shortened(key)} is not known here, only {', '.join([*specs, *KEYS])}")
    inputs = {}
    for name, spec in specs.items():
        if name not in body:
            raise Problem(400, f"the input {name} is missing")
        value = body[name]
        shape = shape_of(value)
        if len(shape) < len(spec.shape):
            value, shape = [value], (1, *shape)
        shape = check_shape(name, list(shape))
        check_described(endpoint, name, spec.datatype, shape)
        inputs[name] = from_json(name, spec.datatype, shape, value)
    return InferRequest(read_identity(body), inputs, None, read_parameters(body, "the request"))


def render_generated(endpoint: Endpoint, request: InferRequest, answer: InferAnswer) -> bytes:
    """Outputs by name: of one item the value alone, of several a list. Raises Problem for NaN."""
    outputs: dict[str, Any] = {}
    for name, array in answer.outputs.items():
        check_finite(name, array)
        values = np.ascontiguousarray(array) if array.dtype != object else array.tolist()  # orjson takes no views
        outputs[name] = values[0] if answer.items == 1 else values
    return orjson.dumps({**_head(endpoint, request), **outputs}, option=orjson.OPT_SERIALIZE_NUMPY)


def render_piece(endpoint: Endpoint, request: InferRequest, piece: str) -> bytes:
    """A piece of the output that comes in pieces, as JSON of one line."""
    return orjson.dumps({**_head(endpoint, request), endpoint.streamed: piece})


def event(data: bytes) -> bytes:
    """One event. data: JSON, which writes line ends within texts as escapes, so that it is one line."""
    return b"data: %b\n\n" % data


def _head(endpoint: Endpoint, request: InferRequest) -> dict[str, Any]:
    head = {"model_name": endpoint.name, "model_version": endpoint.model.version}
    return head if request.id is None else {"id": request.id, **head}
