"""/openapi.json: the HTTP door as an OpenAPI 3.1 document, made from the signatures and limits of what is loaded.

Models stand in it as themselves (`/v2/models/reviews/infer`, not `/v2/models/{name}/infer`): what a request may hold
follows from the signature. Source: OpenAPI Specification 3.1.1, https://spec.openapis.org/oas/v3.1.1
"""

from __future__ import annotations

import math
from typing import Any

import modelyard
from modelyard.serve.repository import Repository
from modelyard.serve.served_model import ServedModel, Signature, TensorSpec
from modelyard.serve.settings import ServeSettings
from modelyard.tasks.tensor.datatypes import BYTES, DTYPES

Json = dict[str, Any]
JSON = "application/json"
EVENTS = "text/event-stream"

# What any request may be answered with, whatever it asks for.
ALWAYS = {
    400: "Not understood; the input is named.",
    408: "The head or the body did not come in, or the answer was not ready in time.",
    413: "The body is too large.",
    414: "The URL is too long.",
    431: "The head is too large.",
}
INFERRING = {
    404: "No such model, version or label.",
    415: "The body says that it is no JSON in UTF-8.",
    422: "An item that cannot be used; the item is named.",
    429: "The queue is full.",
    500: "A fault of the server, or an answer that is not a number.",
    503: "Loading or stopping.",
}
TEXT = {"type": "string"}
PARAMETERS = {"type": "object", "properties": {"timeout": {"type": "integer", "description": "Microseconds."}}}
NAMED = {"type": "object", "properties": {"name": TEXT}, "required": ["name"]}


def document(repository: Repository, settings: ServeSettings) -> Json:
    """Of what is served now."""
    paths: Json = {
        "/v2": _get("server", "Name, version and extensions.", _schema("Server")),
        "/v2/health/live": _get("live", "Whether the process runs.", None),
        "/v2/health/ready": _get("ready", "Whether requests are answered.", None, {503: "Loading or stopping."}),
        "/v2/models/stats": _get("statistics", "Counts and percentiles of every model.", _schema("Statistics")),
        "/v2/repository/index": {
            "get": _operation("index", "What is served.", _schema("Index")),
            "post": _operation("index_posted", "What is served, as tritonclient asks for it.", _schema("Index")),
        },
        "/v1/models": _get("models", "Names, in OpenAI's form.", {"type": "object"}),
        "/metrics": _get("metrics", "Prometheus text.", TEXT, media="text/plain"),
        "/openapi.json": _get("document", "This document.", {"type": "object"}),
    }
    for model in repository.all():
        paths |= _model_paths(model)
    shown: Json = {
        "openapi": "3.1.0",
        "info": {
            "title": "Modelyard",
            "version": modelyard.__version__,
            "description": "Open Inference Protocol V2 over HTTP, with the binary tensor data extension.",
        },
        "paths": paths,
        "components": {"schemas": _schemas()},
    }
    if settings.token is not None:
        shown["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
        shown["security"] = [{"token": []}]
        for path in ("/v2/health/live", "/v2/health/ready"):
            paths[path]["get"]["security"] = []
    return shown


def _model_paths(model: ServedModel) -> Json:
    """Of one model at its levels, without a version and with it."""
    paths: Json = {}
    levels = {model.name: model.public}
    if model.tensor is not None:
        levels[model.tensor_name] = model.tensor
    for name, signature in levels.items():
        infer = _infer_schema(signature, model)
        example = _infer_example(signature)
        for base in (f"/v2/models/{name}", f"/v2/models/{name}/versions/{model.version}"):
            key = base.removeprefix("/v2/models/").replace("/", "_")
            missing = {404: INFERRING[404]}
            paths[base] = _get(f"metadata_{key}", "Signature.", _schema("Metadata"), missing)
            paths[f"{base}/ready"] = _get(f"ready_{key}", "Whether it answers.", None, missing | {503: "Not yet."})
            paths[f"{base}/stats"] = _get(f"statistics_{key}", "Counts, percentiles.", _schema("Statistics"), missing)
            paths[f"{base}/infer"] = {
                "post": _operation(
                    f"infer_{key}", f"Items to answers, {name}.", _schema("Answer"), INFERRING, infer, example
                )
            }
    if model.tensor is not None:
        paths |= _generate_paths(model)
    if model.tensor is None and not model.stacked:
        return paths  # no items that could be told one by one
    instances, example = _instances_schema(model.public, model), _instances_example(model.public)
    rests = ["", f"/versions/{model.version}", *(f"/labels/{label}" for label in model.labels)]
    for rest in rests:
        key = f"predict_{model.name}{rest}".replace("/", "_")
        operation = _operation(key, "Instances to predictions.", _schema("Predictions"), INFERRING, instances, example)
        paths[f"/v1/models/{model.name}{rest}:predict"] = {"post": operation}
    return paths


def _generate_paths(model: ServedModel) -> Json:
    """Triton's generate extension: of the public level, whole and as Server-Sent Events."""
    paths: Json = {}
    one, several = _generate_schema(model, several=False), _generate_schema(model, several=True)
    example = _instances_example(model.public)["instances"][0]
    for base in (f"/v2/models/{model.name}", f"/v2/models/{model.name}/versions/{model.version}"):
        key = base.removeprefix("/v2/models/").replace("/", "_")
        whole = _operation(
            f"generate_{key}", "Plain values to an answer.", _schema("Generated"), INFERRING, several, example
        )
        # Of a model that does not write piece by piece it is one event, which may answer several items.
        streamed = _operation(
            f"generate_stream_{key}",
            "A value to an answer piece by piece.",
            _schema("Event"),
            INFERRING,
            one if model.streams else several,
            example,
            media=EVENTS,
        )
        paths[f"{base}/generate"], paths[f"{base}/generate_stream"] = {"post": whole}, {"post": streamed}
    return paths


def _generate_schema(model: ServedModel, *, several: bool) -> Json:
    """Every input as a key: the value of one item, or a list of those of several."""
    values = _instance_schemas(model.public, model)
    if several:
        values = {
            name: {"anyOf": [value, {"type": "array", "items": value, "minItems": 1, "maxItems": model.max_batch}]}
            for name, value in values.items()
        }
    properties = {**values, "id": {"type": "string", "maxLength": 1024}, "parameters": PARAMETERS}
    return {"type": "object", "properties": properties, "required": list(values), "additionalProperties": False}


def _get(
    identity: str, summary: str, schema: Json | None, more: dict[int, str] | None = None, media: str = JSON
) -> Json:
    return {"get": _operation(identity, summary, schema, more, media=media)}


def _operation(
    identity: str,
    summary: str,
    schema: Json | None,
    more: dict[int, str] | None = None,
    body: Json | None = None,
    example: Json | None = None,
    media: str = JSON,
) -> Json:
    """schema: of the answer, None where it is empty; more: further statuses; body: schema of what is sent, with an
    example of it."""
    answers: Json = {"200": {"description": "The answer."}}
    if schema is not None:
        answers["200"]["content"] = {media: {"schema": schema}}
    for status, text in sorted((ALWAYS | (more or {})).items()):
        answers[str(status)] = {"description": text, "content": {JSON: {"schema": _schema("Error")}}}
    operation: Json = {"operationId": identity, "summary": summary, "responses": answers}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": body, "example": example}}}
    return operation


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _infer_schema(signature: Signature, model: ServedModel) -> Json:
    """A request in JSON; JSON Schema cannot say that a shape and its data belong together."""
    inputs = signature.inputs.values()
    return {
        "type": "object",
        "properties": {
            "id": {"type": "string", "maxLength": 1024},
            "parameters": PARAMETERS,
            "inputs": {
                "type": "array",
                "items": {"anyOf": [_input_schema(spec, model) for spec in inputs]},
                "minItems": len(inputs),
                "maxItems": len(inputs),
            },
            "outputs": {
                "type": "array",
                "items": {**NAMED, "properties": {"name": {"enum": list(signature.outputs)}}},
            },
        },
        "required": ["inputs"],
    }


def _infer_example(signature: Signature) -> Json:
    """One item; every axis of any size is 1."""
    inputs = []
    for spec in signature.inputs.values():
        shape = [max(size, 1) for size in spec.shape]
        data = [_element_example(spec.datatype)] * math.prod(shape)
        inputs.append({"name": spec.name, "datatype": spec.datatype, "shape": shape, "data": data})
    return {"inputs": inputs}


def _input_schema(spec: TensorSpec, model: ServedModel) -> Json:
    axes = [{"type": "integer", "minimum": 1} if size == -1 else {"const": size} for size in spec.shape]
    if model.tensor is not None:
        axes[0] = axes[0] | {"maximum": model.max_batch}
    return {
        "type": "object",
        "properties": {
            "name": {"const": spec.name},
            "datatype": {"const": spec.datatype},
            "shape": {"type": "array", "prefixItems": axes, "minItems": len(axes), "maxItems": len(axes)},
            "data": {"type": "array", "items": _element_schema(spec.datatype, model)},
        },
        "required": ["name", "datatype", "shape", "data"],
    }


def _element_schema(datatype: str, model: ServedModel) -> Json:
    if datatype == BYTES and model.tensor is None:
        return TEXT
    if datatype == BYTES:
        # The limit is one of bytes: no more characters than that can be right.
        return {"type": "string", "minLength": 1, "maxLength": model.max_item_bytes, "pattern": r"\S"}
    kind = DTYPES[datatype].kind
    return {"type": {"b": "boolean", "i": "integer", "u": "integer", "f": "number"}[kind]}


def _element_example(datatype: str) -> Any:
    if datatype == BYTES:
        return "A lovely film"
    return {"b": True, "i": 1, "u": 1, "f": 1.0}[DTYPES[datatype].kind]


def _instances_example(signature: Signature) -> Json:
    row = {}
    for name, spec in signature.inputs.items():
        value: Any = _element_example(spec.datatype)
        for size in reversed(spec.shape[1:]):
            value = [value] * max(size, 1)
        row[name] = value
    return {"instances": [row]}


def _instances_schema(signature: Signature, model: ServedModel) -> Json:
    """One plain value will do where the model has one input."""
    values = _instance_schemas(signature, model)
    whole: Json = {"type": "object", "properties": values, "required": list(values), "additionalProperties": False}
    one = {"anyOf": [whole, next(iter(values.values()))]} if len(values) == 1 else whole
    instances: Json = {"type": "array", "items": one, "minItems": 1}
    if model.tensor is not None:
        instances["maxItems"] = model.max_batch
    return {"type": "object", "properties": {"instances": instances}, "required": ["instances"]}


def _instance_schemas(signature: Signature, model: ServedModel) -> dict[str, Json]:
    """Of the inputs of one item."""
    values = {}
    for name, spec in signature.inputs.items():
        values[name] = _element_schema(spec.datatype, model)
        for size in reversed(spec.shape[1:]):
            bounds = {"minItems": 1} if size == -1 else {"minItems": size, "maxItems": size}
            values[name] = {"type": "array", "items": values[name], **bounds}
    return values


def _schemas() -> Json:
    tensor = {
        "type": "object",
        "properties": {
            "name": TEXT,
            "datatype": {"enum": [BYTES, *DTYPES]},
            "shape": {"type": "array", "items": {"type": "integer"}},
        },
        "required": ["name", "datatype", "shape"],
    }
    output = {**tensor, "properties": {**tensor["properties"], "data": {"type": "array"}}}  # type: ignore[dict-item]
    return {
        "Error": {"type": "object", "properties": {"error": TEXT}, "required": ["error"]},
        "Server": _object(name=TEXT, version=TEXT, extensions={"type": "array", "items": TEXT}),
        "Index": {"type": "array", "items": _object(name=TEXT, version=TEXT, state=TEXT, reason=TEXT)},
        "Metadata": _object(
            name=TEXT,
            versions={"type": "array", "items": TEXT},
            platform=TEXT,
            inputs={"type": "array", "items": tensor},
            outputs={"type": "array", "items": tensor},
        ),
        "Statistics": _object(model_stats={"type": "array", "items": _object(name=TEXT, version=TEXT)}),
        "Answer": {
            "type": "object",
            "properties": {
                "model_name": TEXT,
                "model_version": TEXT,
                "id": TEXT,
                "outputs": {"type": "array", "items": output},
            },
            "required": ["model_name", "model_version", "outputs"],
        },
        "Predictions": _object(predictions={"type": "array"}),
        "Generated": _object(model_name=TEXT, model_version=TEXT),
        # Before OpenAPI 3.2 the schema of a stream is that of each of its events; data: Generated, or Error, in JSON.
        "Event": _object(data=TEXT),
    }


def _object(**properties: Json) -> Json:
    """An object that has all of these."""
    return {"type": "object", "properties": properties, "required": list(properties)}
