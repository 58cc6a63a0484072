"""Any graph: its own inputs and outputs are what a request holds and is answered with."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from modelyard.errors import BadConfig, BadInput
from modelyard.tasks.metric import AgreementName
from modelyard.tasks.task import Signature, Task
from modelyard.tasks.tensor.pipeline import TensorPipeline, read_specs

if TYPE_CHECKING:
    from modelyard.tasks.training import TrainingTask


class Tensor(Task):
    name = "tensor"
    inputs: Mapping[str, str] = MappingProxyType({})
    target = ""
    target_field = ""
    agreement: AgreementName = "none"
    whole_tensors = True
    trainable = False

    def signature(self, labels: Sequence[str], tensor: Mapping[str, Any] | None = None) -> Signature:
        """Those of the graph."""
        if tensor is None:
            raise _only_adopted()
        sides = {side: read_specs(tensor[side]) for side in ("inputs", "outputs")}
        shown = {side: tuple((name, *spec) for name, spec in specs.items()) for side, specs in sides.items()}
        return Signature(**shown)

    def open_pipeline(self, folder: Path, spec: Mapping[str, Any]) -> TensorPipeline:
        """Inputs and whether they have a batch axis stand in the folder's package.json."""
        index = folder / "package.json"
        try:
            info = json.loads(index.read_bytes())
            return TensorPipeline(read_specs(info["signature"]["inputs"]), batch=bool(info["batch"]))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(f"{index} names no inputs of a graph: {error}", where=str(index)) from None

    def training(self, framework: str = "torch") -> TrainingTask:
        raise _only_adopted()


def _only_adopted() -> BadConfig:
    return BadConfig(
        "a tensor package is made from an ONNX file, with the inputs and outputs of its graph: nothing is trained",
        where="task",
        next="modelyard adopt model.onnx --out DIR",
    )


TASK = Tensor()

__all__ = ["TASK", "Tensor", "TensorPipeline"]
