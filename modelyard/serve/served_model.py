"""A package that answers: its pipeline, the variant that passed, its queue and its counters."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from modelyard.errors import BadInput, Damaged
from modelyard.runtimes.choose import Choice, choose_variant
from modelyard.runtimes.golden import read_golden
from modelyard.serve.batching import Batcher
from modelyard.serve.resolve import Target
from modelyard.serve.settings import ServeSettings
from modelyard.serve.telemetry import Telemetry
from modelyard.tasks import task_of
from modelyard.tasks.pipeline import Pipeline, Streaming

MAX_BATCH = 64
MAX_ITEM_BYTES = 1 << 20
TENSOR = ".tensor"


@dataclass(frozen=True)
class TensorSpec:
    """One line of a signature."""

    name: str
    datatype: str
    shape: tuple[int, ...]

    def as_json(self) -> dict[str, Any]:
        return {"name": self.name, "datatype": self.datatype, "shape": list(self.shape)}


@dataclass(frozen=True)
class Signature:
    inputs: dict[str, TensorSpec]
    outputs: dict[str, TensorSpec]

    @staticmethod
    def read(described: Any) -> Signature:
        def side(tensors: Any) -> dict[str, TensorSpec]:
            return {t["name"]: TensorSpec(t["name"], t["datatype"], tuple(t["shape"])) for t in tensors}

        return Signature(side(described["inputs"]), side(described["outputs"]))


@dataclass
class ServedModel:
    """`public` takes raw items; `tensor`, as `<name>.tensor`, what the first graph takes.

    tensor: None for a package whose public level is that of its graph already. stacked: whether the first axis of all
    its inputs and outputs is one of rows that do not see each other, so that requests may be run together.
    """

    name: str
    version: str
    labels: tuple[str, ...]
    digest: str
    platform: str
    public: Signature
    tensor: Signature | None
    stacked: bool
    max_batch: int
    max_item_bytes: int
    pipeline: Pipeline
    choice: Choice
    batcher: Batcher
    telemetry: Telemetry = field(default_factory=Telemetry)

    @cached_property
    def streams(self) -> bool:
        """Whether it can answer piece by piece."""
        return isinstance(self.pipeline, Streaming)

    @property
    def variant(self) -> str:
        return str(self.choice.variant["name"])

    @property
    def tensor_name(self) -> str:
        return self.name + TENSOR

    def metadata(self, level: Signature, name: str, versions: list[str]) -> dict[str, Any]:
        """V2 model metadata."""
        return {
            "name": name,
            "versions": versions,
            "platform": self.platform,
            "inputs": [spec.as_json() for spec in level.inputs.values()],
            "outputs": [spec.as_json() for spec in level.outputs.values()],
        }

    def statistics(self) -> dict[str, Any]:
        """Triton's statistics, and beside them percentiles of the last five minutes and what is served."""
        shown = self.telemetry.statistics(self.name, self.version)
        shown["latency"] = {part: window.summary_ms() for part, window in self.telemetry.recent.items()}
        batches = self.telemetry.batches
        shown["batch_items_mean"] = round(batches.total / batches.count, 3) if batches.count else None
        shown["queue_items"] = self.batcher.waiting
        shown["in_flight"] = self.telemetry.in_flight
        shown["streams_in_flight"] = self.telemetry.streams_in_flight
        shown["truncated_items"] = self.telemetry.truncated
        shown["variant"] = self.variant
        shown["package"] = self.digest
        return shown


def open_model(target: Target, settings: ServeSettings, loop: asyncio.AbstractEventLoop) -> ServedModel:
    """Open the pipeline, choose the variant by its golden set, start its compute threads.

    Raises Damaged, EnvironmentProblem or BadInput when the package cannot be served.
    """
    package = target.package
    info = package.info
    index = str(package.path / package.index)
    if info.get("format") != 1:
        raise Damaged(
            f"the package has format {info.get('format')!r}, this Modelyard reads format 1",
            where=index,
            next="upgrade modelyard, or make the package again",
        )
    task = task_of(package, settings.allowed_code)
    try:
        public = Signature.read(info["signature"])
        tensor = None if task.whole_tensors else Signature.read(info["tensor"])
        stacked = task.whole_tensors and bool(info["batch"])
        limits = info.get("limits", {})
        spec, variants = dict(info["pipeline"]), package.variants
        runtime = [(v["name"], v["runtime"], v["graphs"].items(), v["tolerance"]["max_abs"]) for v in variants]
        max_batch = int(limits.get("max_batch", MAX_BATCH))
        max_item_bytes = int(limits.get("max_item_bytes", MAX_ITEM_BYTES))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise Damaged(
            f"package.json is not complete: {type(error).__name__} {error}", where=index, next="make the package again"
        ) from None
    if not runtime or "/" in target.name or target.name.endswith(TENSOR):
        raise BadInput(f"{target.name!r} with {len(runtime)} variants cannot be served", where=index)
    pipeline = task.open_pipeline(package.path, spec)
    choice = choose_variant(
        package, pipeline, read_golden(package), only=settings.variant, threads=1, device=settings.device
    )
    telemetry = Telemetry()
    batcher = Batcher(
        pipeline,
        choice.graphs,
        loop,
        workers=settings.workers,
        queue_items=settings.queue_items,
        on_batch=telemetry.batch,
    )
    return ServedModel(
        target.name,
        target.version,
        target.labels,
        package.digest,
        str(choice.variant["runtime"]),
        public,
        tensor,
        stacked,
        max_batch,
        max_item_bytes,
        pipeline,
        choice,
        batcher,
        telemetry,
    )
