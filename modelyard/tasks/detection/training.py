"""The half of detection that needs torch, behind the seam of modelyard.tasks.training."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.store.artifacts import Model, write_index
from modelyard.tasks.detection.average_precision import Judged, average_precisions, judge
from modelyard.tasks.detection.pipeline import FRAME, PIXELS, RAW_BOXES, RAW_SCORES, DetectionPipeline, in_picture
from modelyard.tasks.detection.recipes import RECIPES, config_of, read_config
from modelyard.tasks.detection.select import BOXES, CLASSES, COUNT, SCORES, select
from modelyard.tasks.detection.targets import box_targets
from modelyard.tasks.onnx_graph import GRAPH, describe, traced, write_graph
from modelyard.tasks.pipeline import Array, Tensors

if TYPE_CHECKING:
    import torch

WEIGHTS = "model.safetensors"
LOGITS, POINTS = "logits", "points"


class DetectionTraining:
    recipes = RECIPES
    base_files: tuple[str, ...] = ()

    def load(self, base: str, labels: Sequence[str], options: Mapping[str, Any]) -> torch.nn.Module:
        """A detector for the labels, with the weights of the directory where it has some. A head that was made for
        other classes gives way to a new one."""
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import load_file

        from modelyard.tasks.detection.network import Network

        folder = Path(base)
        network = Network(read_config(folder, int(options.get("image_size") or 0)), len(labels))
        if (folder / WEIGHTS).is_file():
            wanted = network.state_dict()
            try:
                given = load_file(folder / WEIGHTS)
                fitting = {name: values for name, values in given.items() if values.shape == wanted[name].shape}
                network.load_state_dict({**wanted, **fitting})
            except (SafetensorError, KeyError) as error:
                raise BadInput(
                    f"the weights are not those of the detector that config.json describes: {error}",
                    where=str(folder / WEIGHTS),
                    next="copy the whole directory again, from where it was made",
                ) from None
        # Two thirds of the time of the usual layout, for convolutions as small as these.
        return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]

    def pipeline(self, base: str, labels: Sequence[str], max_length: int) -> DetectionPipeline:
        return DetectionPipeline(read_config(Path(base), max_length).image_size, labels)

    def targets(self, values: Sequence[Any], labels: Sequence[str]) -> list[Array]:
        return box_targets(values, labels)

    def forward(self, model: torch.nn.Module, feeds: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        """What the graph answers; and for the loss the logits, the cells, and the frames that came with the pixels."""
        boxes, logits = model(feeds[PIXELS])
        return {
            RAW_BOXES: boxes,
            RAW_SCORES: logits.sigmoid(),
            LOGITS: logits,
            POINTS: model.points,
            FRAME: feeds[FRAME],
        }

    def loss(
        self, outputs: Mapping[str, torch.Tensor], targets: torch.Tensor, options: Mapping[str, Any]
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """targets: float32 [n, most, 5] as `box_targets` has them, their boxes in pixels of the pictures."""
        from modelyard.tasks.detection.loss import detection_loss

        wanted = targets[..., 1:] * outputs[FRAME][:, None, :2].repeat(1, 1, 2)
        return detection_loss(outputs[RAW_BOXES], outputs[LOGITS], outputs[POINTS], wanted, targets[..., 0].long())

    def judged(self, outputs: Tensors) -> Tensors:
        """The boxes that would be answered, in pixels of the pictures."""
        chosen = select(outputs[RAW_BOXES], outputs[RAW_SCORES])
        return {**chosen, BOXES: in_picture(chosen[BOXES], outputs[FRAME])}

    def metrics(self, outputs: Tensors, targets: Array, labels: Sequence[str]) -> dict[str, float]:
        """`map` as COCO has it, and `map50`: the same at an IoU of 0.5 alone."""
        evidence = np.empty(len(targets), dtype=object)
        for row in range(len(targets)):
            evidence[row] = _judged(outputs, row, targets[row])
        found = average_precisions(evidence)
        return {"map": float(found.mean()), "map50": float(found[0].mean())}

    def save(self, model: torch.nn.Module, base: str, folder: Path, labels: Sequence[str], max_length: int) -> None:
        from safetensors.torch import save_file

        save_file({name: values.contiguous() for name, values in model.state_dict().items()}, folder / WEIGHTS)
        config = config_of(read_config(Path(base), max_length))
        (folder / "config.json").write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")
        index = {"format": 1, "task": "detection", "framework": "torch", "loader": "modelyard"}
        write_index(Model, folder, {**index, "architecture": type(model).__name__, "labels": list(labels)})

    def export(self, model_folder: Path, package_folder: Path, max_length: int) -> dict[str, Any]:
        """One graph: the network, and behind it the selection of boxes."""
        import torch

        from modelyard.tasks.detection.selection_nodes import append_selection

        labels = Model.open(model_folder).labels
        detector = read_config(model_folder)
        network = self.load(str(model_folder), labels, {})

        class Scored(torch.nn.Module):
            def __init__(self) -> None:
                super().__init__()
                self.network = network

            def forward(self, pixels: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
                boxes, logits = self.network(pixels)
                return boxes, logits.sigmoid()

        side = detector.image_size
        sample = torch.zeros((2, 3, side, side), dtype=torch.uint8)  # batch 1 might be written into the graph
        axes = ({0: torch.export.Dim("batch")},)
        proto = traced(Scored(), [sample], [PIXELS], [RAW_BOXES, RAW_SCORES], axes)
        append_selection(proto, cells=len(network.points), classes=len(labels))  # type: ignore[arg-type]
        path = package_folder / GRAPH
        files = write_graph(proto, path, sum(parameter.nbytes for parameter in network.parameters()))
        return {
            "graphs": {
                "model": {"format": "onnx", "files": [f"{Path(GRAPH).parent.as_posix()}/{name}" for name in files]}
            },
            "pipeline": {"image_size": side},
            "tensor": describe(proto),
        }


def _judged(outputs: Tensors, row: int, targets: Array) -> Judged:
    """One row of what `judged` kept against its targets [most, 5]."""
    from modelyard.media.box_geometry import size_form

    count = int(outputs[COUNT][row])
    wanted = targets[targets[:, 0] >= 0].astype(np.float64)
    return judge(
        size_form(outputs[BOXES][row, :count].astype(np.float64)),
        outputs[CLASSES][row, :count],
        outputs[SCORES][row, :count].astype(np.float64),
        size_form(wanted[:, 1:]),
        wanted[:, 0].astype(np.int64),
    )
