"""The `train:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from modelyard.config import Share, StageConfig
from modelyard.training.schedule import Scaling

Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


class TrainConfig(StageConfig):
    """Rates are stated at batch 256 and scaled to the batch; see modelyard.training.schedule."""

    task: str = "text_classification"
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
    max_length: Annotated[int, Field(ge=4)] = 128  # tokens
    patience: Count = 2  # epochs without a better one
    seed: Annotated[int, Field(ge=0, lt=2**63)] = 0
    # Stops by the clock, so the result is no longer a function of data, settings and seed alone.
    time_limit_s: Positive | None = None
    checkpoint_steps: Count = 200  # beside the one at the end of every epoch

    @model_validator(mode="after")
    def _micro_fits(self) -> TrainConfig:
        """The default micro batch shrinks with the batch; one that was asked for must fit into it."""
        if "micro_batch_size" in self.model_fields_set and self.micro_batch_size > self.batch_size:
            raise ValueError(
                f"micro_batch_size {self.micro_batch_size} is more than batch_size {self.batch_size}: a step is made "
                f"of micro batches"
            )
        return self
