"""The second door: instances in, predictions out, as TensorFlow Serving speaks."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from modelyard.serve.handler import check_described
from modelyard.serve.problems import Problem, shortened
from modelyard.serve.repository import Endpoint
from modelyard.serve.requests import InferAnswer, InferRequest
from modelyard.serve.rest_codec import check_finite
from modelyard.serve.tensors import check_shape, from_json


def parse_instances(endpoint: Endpoint, body: dict[str, Any]) -> InferRequest:
    """{"instances": [value or {input: value}, ...]}: a plain value will do when there is one input."""
    if endpoint.whole and not endpoint.model.stacked:
        raise Problem(400, f"{endpoint.name} takes whole tensors, not instances: ask /v2/models/{endpoint.name}/infer")
    instances = body.get("instances")
    if not isinstance(instances, list):
        raise Problem(400, 'the body has no list "instances"')
    specs = endpoint.signature.inputs
    only = next(iter(specs)) if len(specs) == 1 else None
    columns: dict[str, list[Any]] = {name: [] for name in specs}
    for place, instance in enumerate(instances):
        if not isinstance(instance, dict):
            if only is None:
                raise Problem(400, f"instance {place} must be an object with {', '.join(specs)}")
            instance = {only: instance}
        if set(instance) != set(specs):
            raise Problem(400, f"instance {place} must have {', '.join(specs)}, not {shortened(sorted(instance))}")
        for name, value in instance.items():
            columns[name].append(value)
    inputs = {}
    for name, spec in specs.items():
        shape = check_shape(name, [len(instances), *shape_of(columns[name][0] if instances else None)])
        check_described(endpoint, name, spec.datatype, shape)
        inputs[name] = from_json(name, spec.datatype, shape, columns[name])
    return InferRequest(None, inputs)


def shape_of(value: Any) -> tuple[int, ...]:
    """Of nested lists, by their first elements; `from_json` checks the others."""
    shape = []
    while isinstance(value, list):
        shape.append(len(value))
        value = value[0] if value else None
    return tuple(shape)


def render_predictions(answer: InferAnswer, *, tensor_level: bool = False) -> bytes:
    """One object an item, outputs by name; with a single output its value alone. Raises Problem for NaN."""
    columns = {}
    for name, array in answer.outputs.items():
        check_finite(name, array, tensor_level)
        # The shortest digits that read back as the same float32, not those of its double.
        columns[name] = array.tolist() if array.dtype == object else orjson.loads(_numbers(array))
    if len(columns) == 1:
        return orjson.dumps({"predictions": next(iter(columns.values()))})
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    return orjson.dumps({"predictions": rows})


def _numbers(array: Any) -> bytes:
    return orjson.dumps(np.ascontiguousarray(array), option=orjson.OPT_SERIALIZE_NUMPY)  # it takes no views
