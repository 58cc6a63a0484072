"""What `modelyard adopt` may be told about a model that does not say it itself."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import Field

from modelyard.config import StageConfig

Positive = Annotated[float, Field(gt=0.0)]
GIB = 1 << 30


class AdoptConfig(StageConfig):
    """Everything that is left out is read from the model's own files."""

    # It becomes a part of URLs, file names and metric labels.
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$")] = "model"
    task: str | None = None
    tokenizer: Path | None = None  # the folder of tokenizer.json, for an .onnx that reads text
    data: Path | None = None  # rows (or an .npz of inputs) that the golden set is taken from
    labels: tuple[str, ...] | None = None  # class names in the order of the logits
    max_length: Annotated[int, Field(ge=4)] | None = None  # tokens
    tolerance: Positive | None = None  # largest |difference| of raw outputs that another machine may show
    golden: Annotated[int, Field(ge=1)] = 64
    max_batch: Annotated[int, Field(ge=1)] = 64
    max_item_bytes: Annotated[int, Field(ge=1)] = 1 << 20
    p99_ms: Positive = 200.0
    limit_s: Positive = 120.0  # seconds that opening an .onnx file, or one run of it, may take
    max_bytes: Annotated[int, Field(ge=1)] = 16 * GIB  # of everything that is taken over
