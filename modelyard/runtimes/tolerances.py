"""How far a variant's raw outputs may lie from the float reference on another machine."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

from modelyard.runtimes.golden import FIRST, Replay, read_golden, replay
from modelyard.runtimes.variants import open_variant
from modelyard.store import Package
from modelyard.tasks import Pipeline

MARGIN = 1.5  # over the largest difference seen on the golden set here
LEAST = 1e-3  # the bar of export's parity gate: kernels of another CPU sum in another order
AGREEMENT_MARGIN = 0.05


def rounded_up(value: float) -> float:
    """The next of 1, 2, 5 times a power of ten: coarse, so that a package's digest does not follow small noise."""
    power = 10.0 ** math.floor(math.log10(value))
    step = next(step for step in (1, 2, 5, 10) if value <= step * power * (1 + 1e-9))
    return float(f"{step * power:.3g}")


def tolerance(measured: Replay) -> dict[str, Any]:
    """`tolerance` of a variant in package.json from a replay of the whole golden set.

    The share of the first FIRST counts by itself: they are what a server asks for, and few of many may be unlike them.
    """
    first = min(FIRST, measured.checked)
    of_first = 1.0 - sum(place < first for place in measured.differing) / first
    least = min(measured.agreement, of_first)
    agreement = math.floor((least - AGREEMENT_MARGIN) * 20 + 1e-9) / 20
    return {
        "max_abs": rounded_up(max(measured.max_abs * MARGIN, LEAST)),
        "agreement": max(0.0, round(agreement, 2)),
    }


def replay_whole(package: Package, variant: dict[str, Any], pipeline: Pipeline, threads: int) -> Replay:
    """All golden inputs through one variant, with no tolerance: only what is not finite or not there fails.

    However long it takes: a tolerance from as many as the clock allowed would make the package depend on the machine.
    """
    golden = replace(read_golden(package), limit_s=math.inf)
    graphs = open_variant(package, variant, threads)
    return replay(pipeline, graphs, golden, {"max_abs": math.inf, "agreement": 0.0}, count=len(golden.inputs))
