"""A Keras model in one `.keras` file: the same bytes for the same model, opened without running code that it brings."""

from __future__ import annotations

import json
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput, Damaged
from modelyard.tasks.keras.backend import fresh_session, import_keras

if TYPE_CHECKING:
    import torch

FILE = "model.keras"
CONFIG, METADATA = "config.json", "metadata.json"
WRAPPERS = frozenset({"TorchModuleWrapper", "TFSMLayer", "JaxLayer", "FlaxLayer"})
MADE = (1980, 1, 1, 0, 0, 0)  # the first time that a zip file can hold


def write_keras(model: Any, path: Path) -> None:
    """The file holds neither the time it was written at nor addresses in memory.

    Raises BadInput for a model that could not be opened again without its author's code.
    """
    with tempfile.TemporaryDirectory() as folder:
        written = Path(folder) / FILE
        try:
            import_keras().saving.save_model(model, written)
        except Exception as error:  # whatever a layer raises that does not know how it is described
            raise BadInput(
                f"Keras cannot write the model: {_said(error)}",
                next="compose it of layers of keras.layers and functions of keras.ops, without a lambda",
            ) from error
        with zipfile.ZipFile(written) as archive, zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as target:
            for name in sorted(archive.namelist()):
                target.writestr(zipfile.ZipInfo(name, MADE), _steady(name, archive.read(name)))


def _steady(name: str, content: bytes) -> bytes:
    """A file of the archive, with what differs from one writing to the next taken out. Raises BadInput for code."""
    if name == CONFIG:
        config = json.loads(content)
        hold_no_code(config)
        _number_shared(config)
        return json.dumps(config).encode()
    if name == METADATA:
        return json.dumps({"keras_version": json.loads(content)["keras_version"]}).encode()
    return content


def open_keras(path: Path) -> torch.nn.Module:
    """The model of a `.keras` file, in a session of its own. Raises BadInput for one that brings code, Damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(CONFIG))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise Damaged(f"{path.name} is no Keras model: {error}", where=str(path)) from None
    try:
        hold_no_code(config)
    except BadInput as error:
        raise BadInput(error.message, where=str(path), next=error.next) from None
    keras = import_keras()
    fresh_session(keras)
    try:
        model: torch.nn.Module = keras.saving.load_model(path, compile=False, safe_mode=True)
    except Exception as error:  # Keras raises of every kind, by what the file holds
        raise BadInput(
            f"Keras does not open the model: {type(error).__name__}: {_said(error)}",
            where=str(path),
            next=f"`pip show keras` says which version is here, {METADATA} in the file which one wrote it",
        ) from error
    return model


def _said(error: Exception) -> str:
    return " ".join(str(error).split())[:500]


def input_shape_of(path: Path) -> tuple[int, int, int]:
    """Height, width and channels that the model in a `.keras` file takes, read without Keras. Raises Damaged."""
    try:
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read(CONFIG))
        shapes = [each["config"]["batch_shape"] for each in _objects(config) if each["class_name"] == "InputLayer"]
        _, height, width, channels = shapes[0]
        return int(height), int(width), int(channels)
    except (OSError, ValueError, KeyError, IndexError, TypeError, zipfile.BadZipFile) as error:
        raise Damaged(f"{path.name} does not say what pictures it takes: {error}", where=str(path)) from None


def hold_no_code(config: Any) -> None:
    """Raises BadInput for what only its author's code could bring back: a Lambda, a class or function that is not of
    Keras, registered or not."""
    for each in _objects(config):
        kind, inside = str(each["class_name"]), each["config"]
        if kind in ("Lambda", "__lambda__"):
            name = f" {inside['name']}" if isinstance(inside, dict) and inside.get("name") else ""
            raise BadInput(
                f"the model holds a Lambda{name}: its file would carry Python code, which nobody who opens it could "
                "trust",
                next="write the same with layers of Keras (Rescaling, Permute, Reshape, Multiply, ...) or its "
                "functions (keras.ops on the model's tensors)",
            )
        if kind in WRAPPERS:
            raise BadInput(
                f"the model holds a {kind}: its file would carry a model of another framework, and pickles or code",
                next="write the same with layers of keras.layers",
            )
        if kind.startswith("__"):  # tensors, arrays, slices: data
            continue
        # Keras names the modules of its own objects, and of others none or where they were written.
        if str(each.get("module")).split(".")[0] != "keras":
            what, name = ("function", inside) if kind == "function" else ("class", kind)
            raise BadInput(
                f"the model holds the {what} {name}, which is not of Keras: its file could not be opened without the "
                "code of it",
                next="compose it of layers of keras.layers and functions of keras.ops: keras.Sequential, or "
                "keras.Model(inputs, outputs)",
            )


def _objects(config: Any) -> Iterator[dict[str, Any]]:
    """Every class and function that a configuration names, the outer ones first."""
    if isinstance(config, dict):
        if "class_name" in config and "config" in config:
            yield config
        for value in config.values():
            yield from _objects(value)
    elif isinstance(config, list):
        for value in config:
            yield from _objects(value)


def _number_shared(config: Any) -> None:
    """Objects that stand in several places are told by their address in memory: by their order of appearance now."""
    numbers: dict[int, int] = {}
    for each in _objects(config):
        if "shared_object_id" in each:
            each["shared_object_id"] = numbers.setdefault(each["shared_object_id"], len(numbers) + 1)
