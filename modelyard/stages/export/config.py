"""The `export:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelyard.config import Share, StageConfig

Positive = Annotated[float, Field(gt=0.0)]
Count = Annotated[int, Field(ge=1)]


class GenerationConfig(StageConfig):
    """How a model that writes its answers searches for them; what is left out stays as the model says."""

    beams: Annotated[int, Field(ge=1, le=64)] | None = None  # 1 is greedy
    max_new_tokens: Annotated[int, Field(ge=1, le=4096)] | None = None
    # The power of the length that a beam's log-probability is divided by.
    length_penalty: Annotated[float, Field(ge=-10.0, le=10.0)] | None = None


class ExportConfig(StageConfig):
    """The bars of the parity gate, and what the package says of itself."""

    # It becomes a part of URLs, file names and metric labels.
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")] = "model"
    parity_max_abs: Positive = 1e-3  # of every raw output
    # One answer in 500 may tip over where two classes lie within a rounding error of each other.
    parity_accuracy: Share = 0.002
    parity_rows: Count = 1000  # validation rows that the accuracy is compared on
    golden: Count = 64
    max_batch: Count = 64
    max_item_bytes: Count = 1 << 20
    p99_ms: Positive = 200.0
    generation: GenerationConfig = GenerationConfig()
