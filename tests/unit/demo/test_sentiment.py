"""The sample keeps each domain and class in its share."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from modelyard.demo.sentiment import Rated, stratified

ROWS = [
    Rated(f"text {index}", "positive" if index % 3 else "negative", "tweets" if index % 4 else "movies", f"d{index}")
    for index in range(400)
]


@given(st.integers(1, 399))
def test_a_sample_has_the_asked_size_and_every_stratum_within_one_row_of_its_share(count: int) -> None:
    sample = stratified(ROWS, count)
    assert len(sample) == len(set(sample)) == count
    whole = Counter((row.domain, row.label) for row in ROWS)
    found = Counter((row.domain, row.label) for row in sample)
    for stratum, size in whole.items():
        assert abs(found[stratum] - count * size / len(ROWS)) < 1


def test_a_sample_is_the_same_every_time_and_in_file_order() -> None:
    sample = stratified(ROWS, 100)
    assert sample == stratified(ROWS, 100)
    assert [ROWS.index(row) for row in sample] == sorted(ROWS.index(row) for row in sample)


def test_asking_for_more_than_there_is_gives_all() -> None:
    assert stratified(ROWS, 1000) == ROWS
