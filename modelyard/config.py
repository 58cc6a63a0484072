"""Reading YAML that people write, with errors that name file, line and key."""

from __future__ import annotations

import difflib
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from modelyard.errors import BadConfig

MAX_BYTES = 1 << 20

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class StageConfig(BaseModel):
    """Base of every block of modelyard.yaml: unknown keys are errors, values do not change after reading."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


C = TypeVar("C", bound=BaseModel)
Path_ = tuple[str | int, ...]


class _TextLoader(yaml.SafeLoader):
    """YAML 1.1 without its surprises (case AUG-05 of real reports).

    yes, no, on and off, dates, 010 (an octal number there) and 1:30 (one in base 60) stay text; 2e-5 is a number.
    """

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        """Aliases are refused: a few lines of them can stand for more data than fits in memory."""
        if self.check_event(yaml.AliasEvent):
            event = self.peek_event()  # type: ignore[no-untyped-call]
            raise yaml.composer.ComposerError(None, None, "an alias (*name) is not read here", event.start_mark)
        return super().compose_node(parent, index)


_REPLACED = {f"tag:yaml.org,2002:{name}" for name in ("bool", "timestamp", "int", "float")}
_TextLoader.yaml_implicit_resolvers = {
    first: [(tag, pattern) for tag, pattern in resolvers if tag not in _REPLACED]
    for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
}
for _name, _pattern, _first in (
    ("bool", r"true|True|TRUE|false|False|FALSE", "tTfF"),
    ("int", r"[-+]?(?:0|[1-9][0-9]*)", "-+0123456789"),
    (
        "float",
        r"[-+]?(?:(?:0|[1-9][0-9]*)(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf)|\.(?:nan|NaN)",
        "-+0123456789.",
    ),
):
    _TextLoader.add_implicit_resolver(f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _lines(node: yaml.Node | None, path: Path_ = ()) -> dict[Path_, int]:
    """Where each key stands: path of keys to line number (from 1). Raises BadConfig for a key given twice."""
    if node is None:
        return {}
    found = {path: node.start_mark.line + 1}
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            place = (*path, str(key.value))
            if place in found:
                raise BadConfig(
                    f"the key {key.value} stands twice",
                    where=f"line {key.start_mark.line + 1}, first at line {found[place]}",
                    next="keep one of them",
                )
            found.update(_lines(value, place))
            found[place] = key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for index, value in enumerate(node.value):
            found.update(_lines(value, (*path, index)))
    return found


def _nearest(model: type[BaseModel], path: Path_) -> tuple[str | None, list[str]]:
    """The valid key nearest to the last one of the path, and all valid keys beside it."""
    current: Any = model
    for key in path[:-1]:
        if not (isinstance(current, type) and issubclass(current, BaseModel)) or key not in current.model_fields:
            return None, []
        annotation = current.model_fields[str(key)].annotation
        candidates = [annotation, *get_args(annotation)]
        current = next((c for c in candidates if isinstance(c, type) and issubclass(c, BaseModel)), None)
    if not (isinstance(current, type) and issubclass(current, BaseModel)):
        return None, []
    keys = list(current.model_fields)
    close = difflib.get_close_matches(str(path[-1]), keys, n=1, cutoff=0.6)
    return (close[0] if close else None), keys


def _explain(error: ValidationError, model: type[BaseModel], lines: dict[Path_, int], source: str) -> BadConfig:
    """The first fault of a validation, as one BadConfig; the number of further ones is named."""
    faults = error.errors()
    fault = faults[0]
    path: Path_ = tuple(part for part in fault["loc"] if not (isinstance(part, str) and part.startswith("function-")))
    block = fault["input"] if fault["type"] == "value_error" and isinstance(fault.get("input"), dict) else None
    if block is not None:
        # A combination, found by the block that holds it: the key that its message names first is the place.
        path += tuple(_named_in(fault["msg"], block))
    while path and path not in lines and lines:
        if path[:-1] in lines:
            break
        path = path[:-1]
    line = lines.get(path, lines.get(path[:-1]))
    dotted = ".".join(str(part) for part in path) or "(top level)"
    where = f"{source}, line {line}, key {dotted}" if line else f"{source}, key {dotted}"
    more = f" ({len(faults) - 1} more after this one)" if len(faults) > 1 else ""
    if fault["type"] == "extra_forbidden":
        close, keys = _nearest(model, path)
        advice = f"did you mean {close}?" if close else f"valid keys here: {', '.join(keys)}"
        return BadConfig(f"unknown key {path[-1]}{more}", where=where, next=advice)
    if fault["type"] == "missing":
        return BadConfig(f"the key {dotted} is missing{more}", where=where, next=f"add {dotted}: ...")
    if block is not None:
        message = fault["msg"].removeprefix("Value error, ")
        return BadConfig(f"{dotted}: {message}{more}", where=where, next=f"change {dotted}")
    given = repr(fault.get("input"))
    given = given if len(given) <= 60 else given[:57] + "..."
    message = fault["msg"].removeprefix("Value error, ")
    return BadConfig(
        f"{dotted}: {message[0].lower()}{message[1:]}, not {given}{more}",
        where=where,
        next=f"change {dotted}",
    )


def _named_in(message: str, block: dict[Any, Any]) -> list[str]:
    """The key of the block that stands first in the message, or none."""
    places = {
        str(key): found.start() for key in block if (found := re.search(rf"(?<![\w.]){re.escape(str(key))}\b", message))
    }
    return [min(places, key=lambda key: places[key])] if places else []


def validate(model: type[C], value: Any, source: str, lines: dict[Path_, int] | None = None) -> C:
    """A model from plain data. Raises BadConfig that names source, line (when known) and key."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise _explain(error, model, lines or {}, source) from None


def parse_yaml(text: str, source: str) -> tuple[Any, dict[Path_, int]]:
    """Data and the line of each key. Raises BadConfig with the line for what is not YAML."""
    loader = None
    try:
        loader = _TextLoader(text)
        node = loader.get_single_node()
        lines = _lines(node)
        return (loader.construct_document(node) if node is not None else None), lines
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        where = f"{source}, line {mark.line + 1}, column {mark.column + 1}" if mark else source
        raise BadConfig(
            f"this is not YAML: {error.problem or error.context}",
            where=where,
            next="check indentation, quotes and colons",
        ) from None
    except BadConfig as error:
        raise BadConfig(error.message, where=f"{source}, {error.where}", next=error.next) from None
    except (yaml.YAMLError, ValueError, KeyError) as error:  # a control character; a value that its !!tag does not fit
        first = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise BadConfig(f"this is not YAML: {first}", where=source, next="write plain keys and values") from None
    except RecursionError:
        raise BadConfig(
            "it is nested too deeply", where=source, next="a configuration is flat: blocks of keys"
        ) from None
    finally:
        if loader is not None:
            loader.dispose()


def read_text(path: Path) -> str:
    """A configuration file as text. Raises BadConfig when it cannot be read, is too large or is not UTF-8."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BadConfig(f"{path} cannot be read: {error.strerror}", where=str(path)) from None
    if len(data) > MAX_BYTES:
        raise BadConfig(f"{path} is larger than 1 MiB", where=str(path), next="a configuration is a short file")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadConfig(
            f"{path} is not UTF-8 at byte {error.start}", where=str(path), next="save it as UTF-8"
        ) from None


def parse_setting(setting: str) -> dict[str, Any]:
    """`a.b=value` (the value in YAML) as nested data. Raises BadConfig."""
    key, equals, raw = setting.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        raise BadConfig(
            f"--set {setting}: it has no key=value",
            where=f"--set {setting}",
            next="write --set train.epochs=2",
        )
    value, _ = parse_yaml(raw, f"--set {key}")
    for part in reversed(parts):
        value = {part: value}
    assert isinstance(value, dict)
    return value


def merge(base: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Nested mappings, the second one winning."""
    result = dict(base)
    for key, value in over.items():
        old = result.get(key)
        result[key] = merge(old, value) if isinstance(old, dict) and isinstance(value, dict) else value
    return result
