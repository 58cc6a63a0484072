from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modelyard.training.buckets import length_buckets, micro_batches, sorted_batches

sizes = st.lists(st.integers(1, 500), min_size=1, max_size=400).map(lambda values: np.array(values, dtype=np.int64))


@given(sizes, st.integers(1, 40), st.integers(0, 2**40), st.integers(0, 5))
@settings(deadline=None)
def test_each_row_comes_exactly_once_an_epoch(lengths, batch_size, seed, epoch):
    batches = length_buckets(lengths, batch_size, seed, epoch)
    assert sorted(np.concatenate(batches).tolist()) == list(range(len(lengths)))
    assert len(batches) == -(-len(lengths) // batch_size)
    assert all(0 < len(batch) <= batch_size for batch in batches)


@given(sizes, st.integers(1, 40), st.integers(0, 2**40))
@settings(deadline=None)
def test_the_order_follows_from_seed_and_epoch_alone(lengths, batch_size, seed):
    first, second = (length_buckets(lengths, batch_size, seed, 3) for _ in range(2))
    assert [batch.tolist() for batch in first] == [batch.tolist() for batch in second]


def test_another_epoch_and_another_seed_give_another_order():
    lengths = np.arange(1, 201)
    orders = [
        np.concatenate(length_buckets(lengths, 8, seed, epoch)).tolist() for seed, epoch in ((0, 0), (0, 1), (1, 0))
    ]
    assert orders[0] != orders[1] != orders[2] != orders[0]


def test_buckets_leave_little_padding():
    chance = np.random.default_rng(0)
    lengths = chance.geometric(1 / 25, 2000)

    def padding(batches):
        return 1 - lengths.sum() / sum(len(batch) * lengths[batch].max() for batch in batches)

    shuffled = np.split(chance.permutation(2000), 2000 // 16)
    assert padding(length_buckets(lengths, 16, 0, 0)) < 0.1 < 0.5 < padding(shuffled)


@given(sizes, st.integers(1, 40))
@settings(deadline=None)
def test_evaluation_sees_each_row_once_in_order_of_length(lengths, batch_size):
    rows = np.concatenate(sorted_batches(lengths, batch_size))
    assert sorted(rows.tolist()) == list(range(len(lengths)))
    assert (np.diff(lengths[rows]) >= 0).all()


@pytest.mark.parametrize(("size", "pieces"), [(4, [4, 4, 2]), (10, [10]), (99, [10])])
def test_a_batch_is_cut_into_micro_batches(size, pieces):
    assert [len(piece) for piece in micro_batches(np.arange(10), size)] == pieces
