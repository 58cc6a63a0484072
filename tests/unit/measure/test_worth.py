from __future__ import annotations

import numpy as np
import pytest

from modelyard.errors import BadInput
from modelyard.measure.intervals import bootstrap_mean, paired_loss
from modelyard.measure.worth import metric_of, paired_lost, worth, worth_interval
from modelyard.tasks import load_task
from modelyard.tasks.metric import Accuracy
from modelyard.tasks.text_embedding.similarity import SimilarityRanks


def pairs(noise: float, rows: int = 300) -> np.ndarray:
    random = np.random.default_rng(1)
    wanted = random.uniform(size=rows)
    return np.stack([wanted + random.normal(0, noise, rows), wanted], axis=1)


def test_a_share_keeps_the_intervals_that_accuracy_has_always_had():
    known, found = np.array([True] * 80 + [False] * 20), np.array([True] * 75 + [False] * 20 + [True] * 5)
    assert worth_interval(Accuracy(), known, resamples=300, seed=3) == bootstrap_mean(known, resamples=300, seed=3)
    assert paired_lost(Accuracy(), known, found) == (0.0, paired_loss(5, 5, 100))


def test_the_interval_of_a_rank_correlation_covers_it_and_narrows_with_rows():
    metric = SimilarityRanks()
    few, many = pairs(0.3, 60), pairs(0.3, 2000)
    for evidence in (few, many):
        low, high = worth_interval(metric, evidence, resamples=400)
        assert low < metric.value(evidence) < high
    widths = [high - low for low, high in (worth_interval(metric, one, resamples=400) for one in (few, many))]
    assert widths[1] < widths[0] / 3


def test_what_a_worse_variant_loses_is_paired_by_rows():
    metric, reference = SimilarityRanks(), pairs(0.1)
    worse = reference.copy()
    worse[::3, 0] = worse[::3, 0][::-1]
    lost, (low, high) = paired_lost(metric, reference, worse, resamples=400)
    assert lost == pytest.approx(metric.value(reference) - metric.value(worse))
    assert 0 < low < lost < high
    assert paired_lost(metric, reference, reference, resamples=400) == (0.0, (0.0, 0.0))


def test_a_figure_without_a_meaning_is_refused_with_the_rows_named():
    with pytest.raises(BadInput, match="spearman has no value on 4 test rows"):
        worth(SimilarityRanks(), np.array([[1.0, 2], [2, 2], [3, 2], [4, 2]]), "4 test rows")


def test_a_task_without_a_metric_is_refused_by_name():
    with pytest.raises(BadInput, match="the task tensor has no metric"):
        metric_of(load_task("tensor"))
