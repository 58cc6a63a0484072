"""Which candidates stay: the rules as pure functions of what was measured."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from modelyard.measure.intervals import Interval

SAME_OUTPUTS = 1e-3  # the parity bar of export


@dataclass
class Measured:
    """A variant and what is known of it. Ratios and losses are against the reference variant.

    max_abs: over the golden set; agreement: share of the validation requests answered as the reference does; worth,
    lost: by the task's metric on the validation rows;
    speedup: ratio of P50 at concurrency 1.
    broken: why it could not be made or is not right; empty when it can.
    """

    name: str
    runtime: str = "onnxruntime"
    size_bytes: int = 0
    made_by: dict[str, Any] = field(default_factory=dict)  # fusions and their counts, or quantization and its errors
    max_abs: float | None = None
    agreement: float | None = None
    worth: float | None = None
    lost: float | None = None
    lost_interval: Interval | None = None
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


def shown_lost(metric: dict[str, Any], value: float) -> str:
    """A loss as a number alone: points of a share, else the metric's own unit."""
    return f"{value * 100:.1f}" if metric["share"] else f"{value:.4f}"


def judge_lost(measured: Measured, most: float, metric: dict[str, Any]) -> Verdict:
    """Whether what is lost of the metric on validation stays within `most` (of a share 0.01 is one point).

    Dropped when the paired estimate lies beyond the bar: so always when its whole 95 % interval does (the loss is
    proven), and also when the interval straddles the bar from beyond (likelier too much than not: the reference is
    there, a doubtful one need not ship). An estimate within the bar stays, with a warning where the upper end passes
    the bar: on some hundred validation rows no interval is narrow enough to exclude one point, and to demand that
    would drop every variant, the harmless ones too. A variant whose raw outputs are the reference's (SAME_OUTPUTS)
    needs no warning.
    """
    if measured.broken:
        return Verdict(False, measured.broken)
    assert measured.lost is not None
    assert measured.lost_interval is not None
    low, high = measured.lost_interval
    value, least, highest, bar = (shown_lost(metric, number) for number in (measured.lost, low, high, most))
    unit = "points of " if metric["share"] else "of "
    shown = f"{value} {unit}{metric['name']} lost on validation (95 %: {least} to {highest})"
    if low > most:
        return Verdict(False, f"dropped: {shown}, all of it beyond {bar}")
    if measured.lost > most:
        return Verdict(False, f"dropped: {shown}, more likely than not beyond {bar}")
    warning = ""
    if high > most and (measured.max_abs is None or measured.max_abs > SAME_OUTPUTS):
        limit = f"{bar} point" if metric["share"] else bar
        warning = f"{measured.name}: {shown}: too few validation rows to exclude a loss of more than {limit}"
    return Verdict(True, shown, warning)


def judge_speed(measured: Measured, reference: str) -> Verdict:
    """Whether it is really faster than the reference variant as served: the whole 95 % interval lies above 1."""
    assert measured.speedup is not None
    assert measured.speedup_interval is not None
    low, high = measured.speedup_interval
    times = f"{measured.speedup:.2f} times as fast as {reference}"
    shown = f"{times} at one request at a time (95 %: {low:.2f} to {high:.2f})"
    if low > 1.0:
        return Verdict(True, shown)
    return Verdict(False, f"dropped: not really faster: {shown}")


def in_order(kept: Sequence[Measured]) -> list[Measured]:
    """The kept candidates, fastest first; the reference, the last resort, comes after them."""
    return sorted(kept, key=lambda measured: (-(measured.speedup or 0.0), measured.name))
