"""prepare -> model -> decode for one picture, one class."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np

from modelyard.errors import BadInput
from modelyard.media.framing import Framing
from modelyard.media.pixels import hold_pillow
from modelyard.tasks.class_scores import LOGITS, decode
from modelyard.tasks.picture_request import INPUT, read_picture
from modelyard.tasks.pipeline import Array, Graph, Pipeline, Prepared, Tensors

PIXELS = "pixels"


class ImageClassificationPipeline(Pipeline):
    """The one pipeline of training, export, evaluation and the server, whatever framework the model is of.

    The graph takes `pixels` as they are, uint8 [n, 3, side, side] in RGB, and answers `logits` float32 [n, labels]:
    what a model wants of its pixels (scale, mean, another order of axes) lies in the graph.
    """

    def __init__(self, framing: Framing, labels: Sequence[str]) -> None:
        """Raises EnvironmentProblem where pictures cannot be read: at once, not at the first of them."""
        hold_pillow()
        self.framing = framing
        self._labels = tuple(labels)

    @classmethod
    def open(cls, folder: Path, spec: Mapping[str, Any], labels: Sequence[str]) -> Self:
        """spec: as Framing.as_json has it. Raises BadInput when it is not complete."""
        try:
            return cls(Framing.of_json(spec), labels)
        except (KeyError, TypeError, ValueError) as error:
            raise BadInput(f"the pipeline of this package is not complete: {error}", where=str(folder)) from None

    def prepare(self, item: Mapping[str, Any]) -> Prepared:
        """Raises BadInput for what is no picture."""
        picture = read_picture(item)
        try:
            pixels = self.framing.frame(picture)
        except ValueError as error:
            raise BadInput(f"the image cannot be used: {error}", where=INPUT, next="cut it to what it shows") from None
        return Prepared({PIXELS: pixels}, size=self.framing.image_size**2)

    def collate(self, items: Sequence[Prepared]) -> Tensors:
        """pixels uint8 [n, 3, side, side]"""
        return {PIXELS: np.stack([item.features[PIXELS] for item in items])}

    def run(self, graphs: Mapping[str, Graph], feeds: Mapping[str, Array]) -> Tensors:
        return {LOGITS: graphs["model"].run(feeds)[LOGITS]}

    def decode(self, outputs: Tensors) -> Tensors:
        return decode(outputs, self._labels)
