"""ONNX Runtime: one session a graph, threads set explicitly, no spinning."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from modelyard.errors import Damaged, EnvironmentProblem, Fault
from modelyard.runtimes.graph_failure import graph_failure
from modelyard.tasks.pipeline import Array, Tensors

CPU = "cpu"


class OnnxGraph:
    """An open ONNX graph. `run` may be called from several threads at once and releases the GIL."""

    def __init__(self, session: Any) -> None:
        self._session = session
        self.inputs: tuple[str, ...] = tuple(value.name for value in session.get_inputs())
        self.outputs: tuple[str, ...] = tuple(value.name for value in session.get_outputs())

    def run(self, feeds: Mapping[str, Array]) -> Tensors:
        """Feeds by name to outputs by name; feeds that the graph does not take are left out."""
        missing = [name for name in self.inputs if name not in feeds]
        if missing:
            raise Fault(f"the graph takes {', '.join(self.inputs)}: {', '.join(missing)} not given")
        values = self._session.run(None, {name: feeds[name] for name in self.inputs})
        return dict(zip(self.outputs, values, strict=True))


def _providers(device: str) -> list[Any]:
    """CPU, or CUDA by device number. Raises EnvironmentProblem when this build of ONNX Runtime has no CUDA."""
    if device == CPU:
        return ["CPUExecutionProvider"]
    import onnxruntime

    try:
        number = int(device.removeprefix("cuda:"))
    except ValueError:
        raise EnvironmentProblem(
            f"there is no device {device!r}", where="--device", next="give --device cpu or the number of a GPU"
        ) from None
    if "CUDAExecutionProvider" not in onnxruntime.get_available_providers():
        raise EnvironmentProblem(
            f"device {device} was asked for, but this ONNX Runtime {onnxruntime.__version__} has no CUDA provider",
            where="--device",
            next="install onnxruntime-gpu in place of onnxruntime, or leave out --device",
        )
    return [("CUDAExecutionProvider", {"device_id": number})]


def open_graph(files: Sequence[Path], threads: int, device: str = CPU) -> OnnxGraph:
    """Open the first file (others are its external data). Raises Damaged when it is no usable ONNX graph."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    # Spinning threads burn the core that the front end and the other workers need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Only what is fatal: an error is raised as an exception, and on stderr it would stand between lines of JSON.
    options.log_severity_level = 4
    providers = _providers(device)
    try:
        session = onnxruntime.InferenceSession(str(files[0]), sess_options=options, providers=providers)
    except Exception as error:  # ONNX Runtime raises a dozen unrelated classes
        words = graph_failure(error)
        raise Damaged(f"{files[0].name} does not open in ONNX Runtime: {words}", where=str(files[0])) from None
    if device != CPU and session.get_providers()[0] != "CUDAExecutionProvider":
        raise EnvironmentProblem(
            f"device {device} was asked for, but ONNX Runtime fell back to {session.get_providers()[0]}",
            where="--device",
            next="check the CUDA and cuDNN libraries that onnxruntime-gpu needs, or leave out --device",
        )
    return OnnxGraph(session)
