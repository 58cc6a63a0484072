"""Weights that lie beside an .onnx file: every tensor that says so, its file, and whether it is long enough.

Source: ONNX "External Data", onnx/docs/ExternalData.md: location (relative to the model), offset, length in bytes.
"""

from __future__ import annotations

import math
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING

from modelyard.errors import BadInput
from modelyard.stages.adopt.foreign_files import root_of
from modelyard.stages.adopt.graph_files import GRAPH
from modelyard.tasks.onnx_graph import messages

if TYPE_CHECKING:
    import onnx


def check_external_data(proto: onnx.ModelProto, path: Path) -> None:
    """Raises BadInput that names the tensor and its file."""
    import onnx

    tensors: dict[str, list[onnx.TensorProto]] = {}
    for message in messages(proto):
        if isinstance(message, onnx.TensorProto) and message.data_location == onnx.TensorProto.EXTERNAL:
            tensors.setdefault(_entry(message, "location"), []).append(message)
    for location, held_there in tensors.items():
        file = _place(location, held_there[0], path)
        if not file.is_file():
            more = f", and {len(held_there) - 1} more" if len(held_there) > 1 else ""
            raise BadInput(
                f"{location} is missing: it holds the tensor {_name(held_there[0])}{more} of {path.name}",
                where=str(file),
                next=f"copy it from where {path.name} came from: the weights are not in the .onnx file itself",
            )
        size = file.stat().st_size
        for tensor in held_there:
            _check_extent(tensor, location, size, file)


def _place(location: str, tensor: onnx.TensorProto, path: Path) -> Path:
    """The file. Raises BadInput for one that is not named inside the model's folder, or leads out of it."""
    named = PurePosixPath(location)
    outside = named.is_absolute() or PureWindowsPath(location).drive or ".." in named.parts or "\\" in location
    if outside or not named.parts or "\0" in location or named.as_posix() == GRAPH != path.name:
        raise BadInput(
            f"the tensor {_name(tensor)} lies in {location!r}: weights must lie inside the folder of {path.name}",
            where=str(path),
            next="load the model where it was made and save it again: onnx.save_model(..., save_as_external_data=True)",
        )
    file = path.parent / named
    if not file.resolve().is_relative_to(root_of(path.parent)):
        raise BadInput(
            f"{location}, which holds the tensor {_name(tensor)}, is a link that leads out of its folder",
            where=str(file),
            next="put the file itself there, if you trust it",
        )
    return file


def _check_extent(tensor: onnx.TensorProto, location: str, size: int, file: Path) -> None:
    offset, needed = _number(tensor, "offset", location), _bytes(tensor)
    length = _number(tensor, "length", location) if _entry(tensor, "length") else max(size - offset, 0)
    if needed is not None and length < needed:
        raise BadInput(
            f"the tensor {_name(tensor)} of shape {list(tensor.dims)} takes {needed} bytes, {length} are given in "
            f"{location}",
            where=str(file),
            next="copy both files again, from the same export",
        )
    if offset + length > size:
        raise BadInput(
            f"{location} ends at byte {size}: the tensor {_name(tensor)} lies at {offset}-{offset + length}",
            where=str(file),
            next=f"copy {file.name} again, it is cut off or of another export",
        )


def _bytes(tensor: onnx.TensorProto) -> int | None:
    """How many the values take; None where several share a byte, or each takes its own number."""
    import onnx

    kind = onnx.TensorProto.DataType.Name(tensor.data_type) if tensor.data_type < 100 else ""
    if not kind or kind in ("UNDEFINED", "STRING") or any(bits in kind for bits in ("INT4", "INT2", "FLOAT4")):
        return None
    item: int = onnx.helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
    sizes: list[int] = list(tensor.dims)
    return math.prod(sizes) * item


def _number(tensor: onnx.TensorProto, key: str, location: str) -> int:
    """An offset or length, 0 when it is not said."""
    text = _entry(tensor, key)
    if text and not (text.isascii() and text.isdigit()):
        raise BadInput(
            f"the tensor {_name(tensor)} in {location} has the {key} {text!r}, which is no number of bytes",
            next="save the model again: onnx.save_model(..., save_as_external_data=True)",
        )
    return int(text or 0)


def _entry(tensor: onnx.TensorProto, key: str) -> str:
    return next((str(entry.value) for entry in tensor.external_data if entry.key == key), "")


def _name(tensor: onnx.TensorProto) -> str:
    return tensor.name or "(a constant without a name)"
