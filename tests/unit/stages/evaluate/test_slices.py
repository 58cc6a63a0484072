from __future__ import annotations

import numpy as np

from modelyard.stages.evaluate.slices import LENGTH, NO_VALUE, left_out, length_values, metric_slices
from modelyard.tasks.metric import Accuracy
from modelyard.tasks.text_embedding.similarity import SimilarityRanks


def slices(right: list[bool], columns: dict[str, list[str | None]], most_values: int = 3, least_rows: int = 2):
    found = metric_slices(
        Accuracy(), np.array(right), columns, most_values=most_values, least_rows=least_rows, resamples=200
    )
    return [(one["column"], one["value"], one["rows"], one["accuracy"]) for one in found]


def test_every_value_of_a_column_with_few_is_a_slice_with_its_rows():
    domain = ["film", "film", "book", "book", None, None]
    assert slices([True, False, True, True, False, False], {"domain": domain}) == [
        ("domain", NO_VALUE, 2, 0.0),
        ("domain", "book", 2, 1.0),
        ("domain", "film", 2, 0.5),
    ]


def test_a_column_with_many_values_or_with_one_is_not_cut():
    columns: dict[str, list[str | None]] = {"id": [str(n) for n in range(6)], "source": ["web"] * 6}
    assert slices([True] * 6, columns) == []


def test_a_slice_of_too_few_rows_is_left_out():
    assert slices([True] * 5, {"domain": ["a", "a", "a", "a", "b"]}) == [("domain", "a", 4, 1.0)]


def test_an_interval_stands_beside_the_accuracy():
    columns = {"x": ["a"] * 30 + ["b"] * 10}
    found = metric_slices(Accuracy(), np.array([True, False] * 20), columns, most_values=5, least_rows=2, resamples=500)
    for one in found:
        low, high = one["interval"]
        assert low < one["accuracy"] < high


def test_lengths_fall_into_thirds_named_by_their_range_and_stand_in_order():
    sizes = [3, 5, 9, 10, 12, 20, 30, 31, 99]
    names = length_values(sizes)
    assert names == ["3-9"] * 3 + ["10-20"] * 3 + ["21-99"] * 3
    order = [value for _, value, _, _ in slices([True] * 9, {LENGTH: list(names)})]
    assert order == ["3-9", "10-20", "21-99"]


def test_texts_of_one_length_make_one_name():
    assert set(length_values([7, 7, 7, 7])) == {"7-7"}


def test_what_is_not_sliced_is_named_with_its_rows():
    columns = {
        "domain": ["a"] * 30 + ["b"] * 3 + [None] * 2,
        "author": [str(row) for row in range(35)],
        "one": ["x"] * 35,
    }
    assert left_out(columns, most_values=20, least_rows=20) == [
        {"column": "domain", "value": "b", "rows": 3},
        {"column": "domain", "value": NO_VALUE, "rows": 2},
        {"column": "author", "values": 35},
    ]


def test_a_metric_of_pairs_is_cut_as_well_and_left_out_where_it_has_no_meaning():
    score = np.array([1.0, 2, 3, 4, 5, 5, 5, 5])
    evidence = np.stack([np.array([1.0, 2, 3, 4, 5, 6, 7, 8]), score], axis=1)
    found = metric_slices(
        SimilarityRanks(), evidence, {"x": ["a"] * 4 + ["b"] * 4}, most_values=5, least_rows=2, resamples=200
    )
    assert [(one["value"], one["spearman"]) for one in found] == [("a", 1.0)]
