"""A request for inference, however it came in, and its answer, however it goes out."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from modelyard.serve.tensors import Tensor
from modelyard.tasks.pipeline import Array


@dataclass(slots=True)
class InferRequest:
    """id: None when none was given. outputs: requested names with their parameters, None for all of them."""

    id: str | None
    inputs: dict[str, Tensor]
    outputs: dict[str, dict[str, Any]] | None = None
    parameters: dict[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Timings:
    """Seconds of one request; queue and compute are those of its slowest item. batch: items beside it, itself too.
    pieces, first: of an answer that came in pieces, and when the first one was there."""

    prepare: float = 0.0
    queue: float = 0.0
    compute: float = 0.0
    decode: float = 0.0
    batch: int = 0
    pieces: int = 0
    first: float = 0.0


@dataclass(slots=True)
class InferAnswer:
    """Outputs by name, in order, first axis the items."""

    outputs: dict[str, Array]
    items: int
    timings: Timings
