"""What a package is worth by its task's metric: the figure, its interval, and what a variant loses of it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np

from modelyard.errors import BadInput
from modelyard.measure.intervals import Interval, bootstrap_mean, paired_loss
from modelyard.tasks import Metric, Task
from modelyard.tasks.metric import Share
from modelyard.tasks.pipeline import Array

# Rows drawn for one interval at most: a metric that sorts them takes some seconds for so many.
MOST_DRAWN = 20_000_000
LEAST_RESAMPLES = 200


def metric_of(task: Task) -> Metric:
    """What the task is judged by. Raises BadInput where there is nothing to be right about."""
    if task.metric is None:
        raise BadInput(
            f"the task {task.name} has no metric: nothing says which of two answers is better",
            next="measure packages of a task that has one, such as text_classification or text_embedding",
        )
    return task.metric


def shown_metric(metric: Metric) -> dict[str, Any]:
    """`metric` in the details of a report: its name, and whether it is a share of rows (its losses are points)."""
    return {"name": metric.name, "share": isinstance(metric, Share)}


def worth(metric: Metric, evidence: Array, what: str) -> float:
    """The figure. what: the rows, for the error. Raises BadInput where it has no meaning."""
    value = metric.value(evidence)
    if not math.isfinite(value):
        raise BadInput(
            f"{metric.name} has no value on {what}, as where all targets or all answers are the same",
            next="give rows whose targets differ",
        )
    return value


def worth_interval(metric: Metric, evidence: Array, *, resamples: int = 2000, seed: int = 0) -> Interval:
    """Percentile bootstrap of the figure over rows, 95 %."""
    if isinstance(metric, Share):
        return bootstrap_mean(evidence, resamples=resamples, seed=seed)
    return _bootstrap(lambda rows: metric.value(evidence[rows]), len(evidence), resamples, seed)


def paired_lost(
    metric: Metric, reference: Array, found: Array, *, resamples: int = 2000, seed: int = 0
) -> tuple[float, Interval]:
    """How much less `found` is worth than `reference`, evidence of the same rows, with its 95 % interval.

    Of a share Agresti and Min's, which keeps a width when no row differs; of another metric the paired bootstrap, which
    draws the same rows for both. Below zero nothing is lost.
    """
    if isinstance(metric, Share):
        lost, won = int((reference & ~found).sum()), int((found & ~reference).sum())
        return (lost - won) / len(reference), paired_loss(lost, won, len(reference))

    def difference(rows: Array) -> float:
        return metric.value(reference[rows]) - metric.value(found[rows])

    value = metric.value(reference) - metric.value(found)
    return value, _bootstrap(difference, len(reference), resamples, seed)


def lost_method(metric: Metric) -> str:
    """How `paired_lost` makes its interval, in words for the report."""
    return "interval by Agresti and Min" if isinstance(metric, Share) else "interval by paired bootstrap"


def _bootstrap(statistic: Callable[[Array], float], rows: int, resamples: int, seed: int) -> Interval:
    """Percentile bootstrap (Efron and Tibshirani, 1993, chapter 13); draws in which the figure has no meaning are left
    out. Fewer resamples where there are very many rows."""
    generator = np.random.default_rng(seed)
    count = max(LEAST_RESAMPLES, min(resamples, MOST_DRAWN // rows))
    drawn = np.array([statistic(generator.integers(0, rows, rows)) for _ in range(count)])
    known = drawn[np.isfinite(drawn)]
    if not len(known):
        return -math.inf, math.inf
    low, high = np.quantile(known, [0.025, 0.975])
    return float(low), float(high)
