"""What keeps an .onnx file from being adopted, told by looking at it: nothing of it is run."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadInput
from modelyard.stages.adopt.external_data import check_external_data
from modelyard.stages.adopt.graph_files import read_graph
from modelyard.tasks.onnx_graph import messages

if TYPE_CHECKING:
    import onnx

# Domains that ONNX Runtime has operators of, and those of its own optimised graphs.
DOMAINS = {"", "ai.onnx", "ai.onnx.ml", "com.microsoft", "com.microsoft.nchwc", "com.ms.internal.nhwc"}
OLD_IR, OLD_OPSET = 3, 7  # that every ONNX Runtime opens
NEVER = 1000  # no version is as high
EVAL = "export the model in eval mode (model.eval(), training=TrainingMode.EVAL), and adopt that"
# What files that are no ONNX begin with (or hold from byte 4 on), and what they are.
BEGINNINGS = {
    b"version https://git-lfs": ("a Git LFS pointer, not the file itself", "fetch the file: git lfs pull"),
    b"PK\x03\x04": ("a zip archive, as PyTorch and Keras write them", "export it once: torch.onnx.export(...)"),
    b"\x80\x02": ("pickled objects, which are not read", "export it once: torch.onnx.export(...)"),
    b"\x89HDF": ("an HDF5 file", 'export it once: model.export("model.onnx", format="onnx")'),
    b"<": ("a page of a web site", "download the file itself"),
}
FLATBUFFERS = {
    b"ORTM": ("in ONNX Runtime's own format", "give the .onnx that it was made from"),
    b"TFL3": ("a TensorFlow Lite model", "convert it once with tf2onnx"),
}


def check(path: Path) -> onnx.ModelProto:
    """The graph, without the weights beside it. Raises BadInput that names what is wrong, and where in the graph."""
    _check_beginning(path)
    proto = read_graph(path)
    if proto.ir_version < 1 or not proto.opset_import or not proto.graph.output:
        raise BadInput(f"{path.name} is no ONNX file", where=str(path), next="check that it was copied whole")
    _check_domains(proto, path)
    _check_versions(proto, path)
    check_external_data(proto, path)
    _check_training_mode(proto, path)
    return proto


def nodes(proto: onnx.ModelProto) -> Iterator[onnx.NodeProto]:
    """All of them, those inside branches, loops and functions too."""
    import onnx

    return (message for message in messages(proto) if isinstance(message, onnx.NodeProto))


def node_name(node: onnx.NodeProto) -> str:
    """How a person finds it again in a viewer."""
    return node.name or f"that makes {next(iter(node.output), '?')}"


def _check_beginning(path: Path) -> None:
    with path.open("rb") as stream:
        start = stream.read(32)
    if not start:
        raise BadInput(f"{path.name} is empty", where=str(path), next="check that it was copied whole")
    found = next((said for beginning, said in BEGINNINGS.items() if start.startswith(beginning)), None)
    found = found or FLATBUFFERS.get(start[4:8])
    if found is not None:
        what, advice = found
        raise BadInput(f"{path.name} is no ONNX file: it is {what}", where=str(path), next=advice)


def _check_domains(proto: onnx.ModelProto, path: Path) -> None:
    own = {(function.domain, function.name) for function in proto.functions}
    for node in nodes(proto):
        if node.domain not in DOMAINS and (node.domain, node.op_type) not in own:
            raise BadInput(
                f"node {node_name(node)} is {node.domain}:{node.op_type}, an operator that ONNX Runtime does not have",
                where=str(path),
                next="export the model without operators of one's own (a tokenizer apart, post-processing in Python)",
            )


def _check_versions(proto: onnx.ModelProto, path: Path) -> None:
    """IR version and operator sets against what the ONNX Runtime that is installed here opens."""
    import onnxruntime

    here = f"the ONNX Runtime {onnxruntime.__version__} that is installed here reads up to"
    base = {"": OLD_OPSET}
    if not _opens(proto.ir_version, base):
        most = _last(OLD_IR, lambda version: _opens(version, base))
        raise BadInput(
            f"{path.name} has IR version {proto.ir_version}, {here} {most}",
            where=str(path),
            next=f"pip install -U onnxruntime; or set model.ir_version = {most} and save it again",
        )
    for entry in proto.opset_import:
        domain = "" if entry.domain == "ai.onnx" else entry.domain

        def opens(version: int, domain: str = domain) -> bool:
            return _opens(OLD_IR, base | {domain: version})

        if domain in DOMAINS and not opens(entry.version):
            most = _last(1, opens)
            raise BadInput(
                f"{path.name} has opset {entry.version} of {domain or 'ai.onnx'}, {here} {most}",
                where=str(path),
                next=f"pip install -U onnxruntime; or onnx.version_converter.convert_version(model, {most})",
            )


def _last(first: int, good: Callable[[int], bool]) -> int:
    """The last version, from `first` on, that is good; 0 when none is."""
    return next((version - 1 for version in range(first, NEVER) if not good(version)), NEVER) if good(first) else 0


def _opens(ir_version: int, opsets: Mapping[str, int]) -> bool:
    """Whether ONNX Runtime opens a graph of these versions that does nothing."""
    import onnx
    import onnxruntime
    from onnx import helper

    value = helper.make_tensor_value_info("x", onnx.TensorProto.FLOAT, [1])
    result = helper.make_tensor_value_info("y", onnx.TensorProto.FLOAT, [1])
    graph = helper.make_graph([helper.make_node("Identity", ["x"], ["y"])], "probe", [value], [result])
    imports = [helper.make_opsetid(domain, version) for domain, version in opsets.items()]
    model = helper.make_model(graph, opset_imports=imports, ir_version=ir_version)
    options = onnxruntime.SessionOptions()
    options.log_severity_level = 4
    try:
        onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    except Exception:  # a dozen unrelated classes; nothing else than the versions can be wrong
        return False
    return True


def _check_training_mode(proto: onnx.ModelProto, path: Path) -> None:
    """Dropout and batch normalisation that learn while they answer: no two answers would be alike, or none right."""
    true = _true_constants(proto)
    for node in nodes(proto):
        if node.domain not in ("", "ai.onnx"):
            continue
        learns = False
        if node.op_type == "Dropout":
            learns = len(node.input) > 2 and node.input[2] in true
        elif node.op_type == "BatchNormalization":
            modes = [attribute.i for attribute in node.attribute if attribute.name == "training_mode"]
            learns = any(modes) or sum(map(bool, node.output)) > 1
        if learns:
            raise BadInput(
                f"the graph was exported in training mode: node {node_name(node)} ({node.op_type})",
                where=str(path),
                next=EVAL,
            )


def _true_constants(proto: onnx.ModelProto) -> set[str]:
    """Names of the constants that hold one value, which is true."""
    import onnx
    from onnx import numpy_helper

    tensors: dict[str, Any] = {tensor.name: tensor for tensor in proto.graph.initializer}
    for node in nodes(proto):
        if node.op_type == "Constant":
            for attribute in node.attribute:
                if attribute.name == "value":
                    tensors[node.output[0]] = attribute.t
    flags = {name: tensor for name, tensor in tensors.items() if tensor.data_type == onnx.TensorProto.BOOL}
    return {name for name, tensor in flags.items() if not tensor.dims and bool(numpy_helper.to_array(tensor))}
