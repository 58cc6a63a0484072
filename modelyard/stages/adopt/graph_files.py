"""An .onnx file and the files with its weights, as they lie in a package."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from modelyard.errors import BadInput
from modelyard.stages.adopt.foreign_files import held, hold_size
from modelyard.tasks.onnx_graph import messages, strip

if TYPE_CHECKING:
    import onnx

GRAPH = "model.onnx"
MOST_GRAPH = 2 << 30  # bytes of a protobuf file


def read_graph(path: Path) -> onnx.ModelProto:
    """The graph without the weights that lie beside it. Raises BadInput for what is no ONNX file."""
    import onnx

    hold_size([path], MOST_GRAPH)
    try:
        proto = onnx.load(path, load_external_data=False)
    except Exception as error:  # protobuf raises its own class
        raise BadInput(
            f"{path.name} is no ONNX file: {error}", where=str(path), next="check that it was copied whole"
        ) from None
    if not proto.graph.node and not proto.graph.output:
        raise BadInput(f"{path.name} holds no graph", where=str(path), next="check that it was copied whole")
    return proto


def copy_graph(path: Path, into: Path, most: int) -> list[Path]:
    """Write the graph as GRAPH, without doc strings and metadata, and the files with its weights beside it, by their
    own names. Answers the files, the graph first. Raises BadInput for a file that lies elsewhere, or too much."""
    proto = read_graph(path)
    named = external_files(proto)
    beside = held(path.parent, named)
    if len(beside) < len(named):
        missing = [name for name in named if path.parent / name not in beside]
        raise BadInput(
            f"{path.name} has weights in {missing[0]}, which is not there", where=str(path.parent / missing[0])
        )
    hold_size([path, *beside], most)
    strip(proto)
    into.mkdir(parents=True)
    (into / GRAPH).write_bytes(proto.SerializeToString(deterministic=True))
    files = [into / GRAPH]
    for source in beside:
        target = into / source.relative_to(path.parent)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        files.append(target)
    return files


def external_files(proto: onnx.ModelProto) -> list[str]:
    """Names of the files, seen from the graph's folder, that hold its weights."""
    import onnx

    found: dict[str, None] = {}
    for message in messages(proto):
        if isinstance(message, onnx.TensorProto) and message.data_location == onnx.TensorProto.EXTERNAL:
            found.update({entry.value: None for entry in message.external_data if entry.key == "location"})
    return list(found)
