"""V2 over HTTP: JSON, with tensors in binary after it on request (binary tensor data extension)."""

from __future__ import annotations

import zlib
from typing import Any

import orjson

from modelyard.serve.problems import Problem, shortened
from modelyard.serve.requests import InferAnswer, InferRequest
from modelyard.serve.tensors import (
    Check,
    Tensor,
    answered_datatype,
    check_datatype,
    check_name,
    check_shape,
    first_not_finite,
    from_bytes,
    to_bytes,
    unchecked,
)
from modelyard.serve.tensors import from_json as tensor_from_json

BOM = b"\xef\xbb\xbf"
MAX_ID = 1024  # characters
# Lists and objects in one body: 32 MiB of `[],` would take a gigabyte as Python objects. Brackets within texts count
# as well, which no honest request has so many of.
MAX_BRACKETS = 1_000_000


def check_content_type(given: bytes | None) -> None:
    """Raises Problem 415 for what says of itself that it is no JSON in UTF-8.

    Anything else passes: `curl -d` says that it sends a form, and no client that we know says what is wrong.
    """
    if given is None or given == b"application/json":
        return
    kind, _, parameters = given.decode("latin-1").lower().partition(";")
    if kind.strip().startswith("multipart/"):
        raise Problem(415, f"Content-Type {shortened(kind.strip())}: send the JSON itself as the body, not a form")
    for parameter in parameters.split(";"):
        name, _, value = parameter.strip().partition("=")
        if name == "charset" and value.strip("\"' ") not in ("utf-8", "utf8", "us-ascii", "ascii"):
            raise Problem(415, f"Content-Type has the charset {shortened(value)}: send UTF-8")


def read_json(body: bytes | memoryview) -> dict[str, Any]:
    """A JSON object, a byte order mark before it forgiven; of a key given twice the last one counts.

    Raises Problem 400 with the place where it stops being one.
    """
    if len(body) > MAX_BRACKETS:
        plain = bytes(body)
        if plain.count(b"[") + plain.count(b"{") > MAX_BRACKETS:
            raise Problem(400, f"the body holds more than {MAX_BRACKETS} lists and objects, send tensors flat")
    try:
        value = orjson.loads(body if body[:3] != BOM else body[3:])
    except orjson.JSONDecodeError as error:
        raise Problem(400, f"the body is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise Problem(400, f"the body must be a JSON object, not {shortened(value)}")
    return value


def decompress(body: bytes, encoding: str, limit: int) -> bytes:
    """Undo Content-Encoding gzip or deflate. Raises Problem 413 beyond the limit, 400 for broken data."""
    if encoding not in ("gzip", "deflate"):
        raise Problem(400, f"Content-Encoding {shortened(encoding)} is not known: use gzip, deflate or none")
    engine = zlib.decompressobj(wbits=47)  # finds out whether the header is gzip's or zlib's
    try:
        plain = engine.decompress(body, limit + 1)
    except zlib.error as error:
        raise Problem(400, f"the body is not {encoding}: {error}") from None
    if len(plain) > limit:
        raise Problem(413, f"the body is larger than {limit} bytes when unpacked")
    if not engine.eof:
        raise Problem(400, f"the {encoding} body is cut off")
    return plain


def parse_request(body: bytes, header_length: int | None, check: Check = unchecked) -> InferRequest:
    """header_length: Inference-Header-Content-Length, the bytes of JSON before the binary data; None without it."""
    binary = memoryview(b"")
    if header_length is not None:
        if not 0 <= header_length <= len(body):
            raise Problem(400, f"Inference-Header-Content-Length is {header_length}, the body has {len(body)} bytes")
        view = memoryview(body)
        header, binary = read_json(view[:header_length]), view[header_length:]
    else:
        header = read_json(body)
    identity = read_identity(header)
    described = header.get("inputs")
    if not isinstance(described, list) or not described:
        raise Problem(400, 'the body has no "inputs"')
    inputs: dict[str, Tensor] = {}
    place = 0
    for one in described:
        tensor, place = _parse_input(one, binary, place, check)
        if tensor.name in inputs:
            raise Problem(400, f"input {tensor.name} is given twice")
        inputs[tensor.name] = tensor
    if place != len(binary):
        raise Problem(400, f"{len(binary) - place} bytes of binary data belong to no input")
    return InferRequest(identity, inputs, _parse_outputs(header.get("outputs")), read_parameters(header, "the request"))


def read_identity(header: dict[str, Any]) -> str | None:
    """`id` of a request. Raises Problem 400."""
    identity = header.get("id")
    if identity is not None and not isinstance(identity, str):
        raise Problem(400, f"id must be a string, not {shortened(identity)}")
    if identity is not None and len(identity) > MAX_ID:
        raise Problem(400, f"id has {len(identity)} characters, the limit is {MAX_ID}")
    return identity


def read_parameters(holder: dict[str, Any], what: str) -> dict[str, Any]:
    parameters = holder.get("parameters")
    if parameters is None:
        return {}
    if not isinstance(parameters, dict):
        raise Problem(400, f"the parameters of {what} must be an object")
    return parameters


def _parse_input(one: Any, binary: memoryview, place: int, check: Check) -> tuple[Tensor, int]:
    """One input and where the binary data goes on after it."""
    if not isinstance(one, dict):
        raise Problem(400, f"an input must be an object with a name, not {shortened(one)}")
    name = check_name(one.get("name"), "an input")
    datatype = check_datatype(name, one.get("datatype"))
    shape = check_shape(name, one.get("shape"))
    check(name, datatype, shape)
    size = read_parameters(one, f"input {name}").get("binary_data_size")
    if size is None:
        if "data" not in one:
            raise Problem(400, f"input {name} has neither data nor binary_data_size")
        return tensor_from_json(name, datatype, shape, one["data"]), place
    if "data" in one:
        raise Problem(400, f"input {name} has both data and binary_data_size")
    if type(size) is not int or size < 0 or place + size > len(binary):
        raise Problem(
            400, f"input {name}: binary_data_size is {shortened(size)}, {len(binary) - place} bytes of data are left"
        )
    return from_bytes(name, datatype, shape, binary[place : place + size]), place + size


def _parse_outputs(described: Any) -> dict[str, dict[str, Any]] | None:
    if described is None or described == []:
        return None
    if not isinstance(described, list):
        raise Problem(400, "outputs must be a list")
    outputs: dict[str, dict[str, Any]] = {}
    for one in described:
        if not isinstance(one, dict):
            raise Problem(400, f"a requested output must be an object with a name, not {shortened(one)}")
        name = check_name(one.get("name"), "a requested output")
        outputs[name] = read_parameters(one, f"output {name}")
    return outputs


def render_answer(
    model: str, version: str, request: InferRequest, answer: InferAnswer, *, tensor_level: bool = False
) -> tuple[bytes, int | None]:
    """Body and, when tensors follow in binary, the length of its JSON. Raises Problem for NaN in JSON."""
    every = bool(request.parameters.get("binary_data_output", False))
    binary: list[bytes] = []
    outputs: list[dict[str, Any]] = []
    for name, array in answer.outputs.items():
        shown: dict[str, Any] = {"name": name, "datatype": answered_datatype(array), "shape": array.shape}
        wanted = request.outputs.get(name, {}).get("binary_data", every) if request.outputs is not None else every
        if wanted:
            raw = to_bytes(array)
            shown["parameters"] = {"binary_data_size": len(raw)}
            binary.append(raw)
        else:
            check_finite(name, array, tensor_level)
            shown["data"] = array.ravel().tolist() if array.dtype == object else array.ravel()
        outputs.append(shown)
    head: dict[str, Any] = {"model_name": model, "model_version": version}
    if request.id is not None:
        head["id"] = request.id
    head["outputs"] = outputs
    body = orjson.dumps(head, option=orjson.OPT_SERIALIZE_NUMPY)
    return (body, None) if not binary else (body + b"".join(binary), len(body))


def check_finite(name: str, array: Any, tensor_level: bool = False) -> None:
    """Raises Problem that names the output and the value: 500 for a model that answers a text with no number, 422
    where the caller made the tensors that lead to it."""
    wrong = first_not_finite(array)
    if wrong is None:
        return
    if tensor_level:
        raise Problem(422, f"output {name} holds {wrong}: JSON cannot carry it, binary data can")
    raise Problem(500, f"output {name} holds {wrong}: JSON cannot carry it, and the answer is not to be trusted")
