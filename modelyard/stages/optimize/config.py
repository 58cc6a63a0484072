"""The `optimize:` block of modelyard.yaml."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from modelyard.config import Share, StageConfig

Made = Literal["fused", "int8"]  # of the reference's graphs; what else a package has came with it
MADE: tuple[Made, ...] = ("fused", "int8")


class OptimizeConfig(StageConfig):
    """Which variants to make beside those that the package brings, how much accuracy one may cost, how to measure."""

    variants: tuple[Made, ...] = MADE
    max_accuracy_lost: Share = 0.01  # on validation, against the float graph
    reduce_range: bool | None = None  # seven-bit INT8 weights; left out: where the CPU has no exact dot product
    # Validation rows that set the scales of activations, of graphs that are quantised statically.
    calibration_rows: Annotated[int, Field(ge=1)] = 128
    requests: Annotated[int, Field(ge=20)] = 300  # to each variant at each concurrency
    load_seconds: Annotated[float, Field(gt=0)] = 30.0  # for all load measurements together; fewer requests if short
    seed: int = 0
