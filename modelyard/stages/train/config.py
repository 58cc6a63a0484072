"""The `train:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from modelyard.config import Share, StageConfig
from modelyard.errors import BadConfig
from modelyard.tasks import Task
from modelyard.training.schedule import Scaling

Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


class TrainConfig(StageConfig):
    """Rates are stated at batch 256 and scaled to the batch; see modelyard.training.schedule."""

    task: str = "text_classification"
    framework: Literal["torch", "keras"] = "torch"  # what the model is written in
    # A directory, a hub id, or the name of a recipe; of keras a function in a file: model.py:build_model.
    base: str = "sentence-transformers/all-MiniLM-L6-v2"
    epochs: Count = 2
    batch_size: Count = 32  # rows a step
    micro_batch_size: Count = 32  # rows at once in memory; a step adds up as many as it needs
    base_lr: Positive = 8e-4
    scaling: Scaling = "linear"
    weight_decay: Annotated[float, Field(ge=0.0, lt=1.0)] = 1e-4
    dropout: Annotated[float, Field(ge=0.0, lt=1.0)] | None = None  # None: what the base says
    label_smoothing: Annotated[float, Field(ge=0.0, lt=1.0)] = 0.0
    warmup_share: Share = 0.1
    max_norm: Positive = 1.0  # of the gradient
    max_length: Annotated[int, Field(ge=4)] = 128  # tokens, of a text
    # Pixels of the side that pictures are brought to; left out: what the base says.
    image_size: Annotated[int, Field(ge=8, le=2048)] | None = None
    patience: Count = 2  # epochs without a better one
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    # Stops by the clock, so the result is no longer a function of data, settings and seed alone.
    time_limit_s: Positive | None = None
    checkpoint_steps: Count = 200  # beside the one at the end of every epoch

    def item_size(self, task: Task) -> int:
        """How much of an item is read, in what the task counts; 0: what the base says.

        Raises BadConfig for image_size where the task reads no pictures.
        """
        if task.sized_by == "image_size":
            return self.image_size or 0
        if self.image_size is not None:
            raise BadConfig(
                f"the task {task.name} has no pictures to bring to {self.image_size} pixels",
                where="train.image_size",
                next=f"take the line out; it reads {task.sized_by}",
            )
        return self.max_length

    @model_validator(mode="after")
    def _micro_fits(self) -> TrainConfig:
        """The default micro batch shrinks with the batch; one that was asked for must fit into it."""
        if "micro_batch_size" in self.model_fields_set and self.micro_batch_size > self.batch_size:
            raise ValueError(
                f"micro_batch_size {self.micro_batch_size} is more than batch_size {self.batch_size}: a step is made "
                f"of micro batches"
            )
        return self
