"""Which candidates stay: the rules as pure functions of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from modelyard.measure.intervals import Interval

FLOAT = "float"
SAME_OUTPUTS = 1e-3  # the parity bar of export


@dataclass
class Measured:
    """A variant and what is known of it. Ratios and losses are against the plain float graph.

    max_abs: over the golden set; agreement, accuracy_lost: shares of the validation rows;
    speedup: ratio of P50 at concurrency 1.
    broken: why it could not be made or is not right; empty when it can.
    """

    name: str
    size_bytes: int = 0
    made_by: dict[str, Any] = field(default_factory=dict)  # fusions and their counts, or quantization and its errors
    max_abs: float | None = None
    agreement: float | None = None
    accuracy: float | None = None
    accuracy_lost: float | None = None
    accuracy_lost_interval: Interval | None = None
    speedup: float | None = None
    speedup_interval: Interval | None = None
    served: dict[str, dict[str, Any]] = field(default_factory=dict)  # concurrency -> percentiles.summary
    broken: str = ""


@dataclass(frozen=True)
class Verdict:
    """kept: it stays in the package. reason: the sentence that the report shows. warning: kept, but not proven."""

    kept: bool
    reason: str
    warning: str = ""


def _points(share: float) -> str:
    return f"{share * 100:.1f}"


def judge_accuracy(measured: Measured, most: float) -> Verdict:
    """Whether the accuracy lost on validation stays within `most` (0.01 is one point).

    Dropped when the paired estimate lies beyond the bar: so always when its whole 95 % interval does (the loss is
    proven), and also when the interval straddles the bar from beyond (likelier too much than not: the float graph is
    there, a doubtful one need not ship). An estimate within the bar stays, with a warning where the upper end passes
    the bar: on some hundred validation rows no interval is narrow enough to exclude one point, and to demand that
    would drop every variant, the harmless ones too. A variant whose raw outputs are the float graph's (SAME_OUTPUTS)
    needs no warning.
    """
    if measured.broken:
        return Verdict(False, measured.broken)
    assert measured.accuracy_lost is not None
    assert measured.accuracy_lost_interval is not None
    low, high = measured.accuracy_lost_interval
    shown = (
        f"{_points(measured.accuracy_lost)} points of accuracy lost on validation (95 %: {_points(low)} to"
        f" {_points(high)})"
    )
    if low > most:
        return Verdict(False, f"dropped: {shown}, all of it beyond {_points(most)}")
    if measured.accuracy_lost > most:
        return Verdict(False, f"dropped: {shown}, more likely than not beyond {_points(most)}")
    warning = ""
    if high > most and (measured.max_abs is None or measured.max_abs > SAME_OUTPUTS):
        warning = (
            f"{measured.name}: {shown}: too few validation rows to exclude a loss of more than {_points(most)} point"
        )
    return Verdict(True, shown, warning)


def judge_speed(measured: Measured) -> Verdict:
    """Whether it is really faster than the plain float graph as served: the whole 95 % interval lies above 1."""
    assert measured.speedup is not None
    assert measured.speedup_interval is not None
    low, high = measured.speedup_interval
    shown = f"{measured.speedup:.2f} times as fast as float at one request at a time (95 %: {low:.2f} to {high:.2f})"
    if low > 1.0:
        return Verdict(True, shown)
    return Verdict(False, f"dropped: not really faster: {shown}")


def in_order(kept: Sequence[Measured]) -> list[Measured]:
    """The kept candidates, fastest first; the plain float graph, the last resort, comes after them."""
    return sorted(kept, key=lambda measured: (-(measured.speedup or 0.0), measured.name))
