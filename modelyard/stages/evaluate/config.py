"""The `evaluate:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from modelyard.config import StageConfig


class EvaluateConfig(StageConfig):
    """How much is measured, and how finely the test rows are cut."""

    requests: Annotated[int, Field(ge=20)] = 500  # to each server at each concurrency
    load_seconds: Annotated[float, Field(gt=0)] = 50.0  # for all load measurements together; fewer requests if short
    eager_rows: Annotated[int, Field(ge=1)] = 1000  # test rows that the eager model answers, for its accuracy
    resamples: Annotated[int, Field(ge=100)] = 2000  # of the bootstrap
    bins: Annotated[int, Field(ge=2)] = 10  # of the calibration
    slice_values: Annotated[int, Field(ge=1)] = 20  # a column with more distinct values is not cut into slices
    slice_rows: Annotated[int, Field(ge=1)] = 20  # smaller slices say nothing and are left out
    seed: int = 0
