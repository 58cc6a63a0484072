"""Field names and types of the Elastic Common Schema: one JSON type a name, whatever somebody logs under it.

Elasticsearch drops a whole event when a field comes with another type than before. So a name that stands here has the
type that stands here, an object is written as its dotted names, and what has no name here goes to `labels.*`, which
the schema keeps for that purpose, as text. Source: https://www.elastic.co/guide/en/ecs/8.11/ecs-field-reference.html
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

VERSION = "8.11.0"

_TEXT = (
    # keyword, match_only_text and wildcard: one JSON type
    *("ecs.version", "error.message", "error.stack_trace", "error.type", "event.action", "event.outcome"),
    *("http.request.id", "http.request.method", "log.level", "log.logger", "message", "server.address"),
    *("service.name", "trace.id", "url.path", "user.id", "user.name"),
    *("modelyard.model", "modelyard.variant", "modelyard.version"),
)
_WHOLE = (
    *("event.duration", "http.response.status_code"),
    *("modelyard.batch_items", "modelyard.golden.checked", "modelyard.grpc.port", "modelyard.http.port"),
    *("modelyard.in_flight", "modelyard.items", "modelyard.pieces"),
)
_NUMBER = (
    *("modelyard.compute_ms", "modelyard.golden.agreement", "modelyard.golden.max_abs", "modelyard.prepare_ms"),
    *("modelyard.first_piece_ms", "modelyard.queue_ms"),
)
# A list of objects with the same keys, all text: what is served.
_OBJECTS = ("modelyard.models",)

# Name -> the Python type that its JSON type is made from. Under `modelyard.` stands what the schema has no name for.
FIELDS: dict[str, type] = (
    dict.fromkeys(_TEXT, str)
    | dict.fromkeys(_WHOLE, int)
    | dict.fromkeys(_NUMBER, float)
    | dict.fromkeys(_OBJECTS, list)
)
# Names that are objects in the schema, and where a plain value under them belongs.
_PLAIN = {"user": "user.id", "error": "error.message", "service": "service.name", "trace": "trace.id"}


def typed(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Fields by dotted name, each with the type of its name; None stays, it has no type."""
    if list(map(FIELDS.get, fields)) == list(map(type, fields.values())):
        return dict(fields)  # the line of every request
    shown: dict[str, Any] = {}
    for name, value in fields.items():
        if value is None or type(value) is FIELDS.get(name):
            shown[name] = value
        elif isinstance(value, Mapping):
            shown |= typed({f"{name}.{key}": inner for key, inner in value.items()})
        else:
            name = _PLAIN.get(name, name)
            fitted = _fitted(name, value)
            if fitted is None:
                shown[label(name)] = as_text(value)
            else:
                shown[name] = fitted
    return shown


def label(name: str) -> str:
    """Where the schema keeps what it has no name for, always as text."""
    return as_text(f"labels.{name.replace('.', '_')}")


def _fitted(name: str, value: Any) -> Any:
    """The value as its name wants it; None when the name is unknown or the value is of another kind."""
    kind = FIELDS.get(name)
    if kind is str:
        return as_text(value)
    if kind in (int, float) and not isinstance(value, str | bytes | bool):
        try:
            return kind(value)
        except (TypeError, ValueError, OverflowError):
            return None
    return None


def as_text(value: Any) -> str:
    """A value as text that any JSON writer takes: half a surrogate pair is replaced."""
    if isinstance(value, list | tuple):
        value = json.dumps(value, ensure_ascii=False, default=str)
    return str(value).encode("utf-8", "replace").decode()
