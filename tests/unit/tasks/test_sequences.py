from __future__ import annotations

import numpy as np

from modelyard.measure.predictions import all_outputs
from modelyard.runtimes.golden import compare
from modelyard.tasks.pipeline import Prepared
from modelyard.tasks.sequences import of_one_width, same_sequences


def ids(*rows):
    return np.array(rows, dtype=np.int32)


def test_sequences_of_several_lengths_are_filled_up_behind_their_end():
    short, long = of_one_width(ids([5, 6]), ids([7, 8, 9, -1]))
    assert short.tolist() == [[5, 6, -1, -1]]
    assert long.tolist() == [[7, 8, 9, -1]]


def test_vectors_are_left_as_they_are():
    scores = [np.zeros(2, np.float32), np.zeros(3, np.float32)]
    assert [part.shape for part in of_one_width(*scores)] == [(2,), (3,)]


def test_rows_are_the_same_whatever_they_are_filled_up_to():
    found, wanted = ids([5, 6, -1], [5, 6, 7], [5, -1, -1]), ids([5, 6], [5, 6], [6, -1])
    assert same_sequences(found, wanted).tolist() == [True, False, False]


def answer(rows, scores):
    return {"output_ids": ids(*rows), "scores": np.array(scores, dtype=np.float32)}


def test_the_same_tokens_agree_and_their_scores_count_as_numbers():
    gap, same, why = compare(answer([[5, 6, -1]], [-0.5]), answer([[5, 6]], [-0.75]), "sequences")
    assert (gap, same, why) == (0.25, True, "")


def test_what_another_sequence_is_worth_is_no_difference():
    found, wanted = answer([[5, 6], [5, 9]], [-0.5, -9.0]), answer([[5, 6], [5, 7]], [-0.5, -0.1])
    assert compare(found, wanted, "sequences") == (0.0, False, "")


def test_a_score_that_is_no_number_is_refused_also_of_another_sequence():
    gap, same, why = compare(answer([[9]], [np.nan]), answer([[5]], [-0.5]), "sequences")
    assert (np.isinf(gap), same, why) == (True, False, "scores holds a value that is not finite")


class Counting:
    """Answers each item with the numbers from 0 up to its size."""

    def collate(self, items):
        return {"sizes": np.array([item.size for item in items])}

    def run(self, graphs, feeds):
        rows = [np.arange(size) for size in feeds["sizes"]]
        width = max(len(row) for row in rows)
        filled = [np.pad(row, (0, width - len(row)), constant_values=-1) for row in rows]
        return {"output_ids": np.stack(filled).astype(np.int32), "scores": -feeds["sizes"].astype(np.float32)}


def test_outputs_of_all_items_come_in_their_order_though_batches_are_of_several_widths():
    items = [Prepared({}, size) for size in (3, 1, 5, 2, 4)]
    outputs = all_outputs(Counting(), {}, items, 2)
    assert outputs["scores"].tolist() == [-3, -1, -5, -2, -4]
    assert [[n for n in row if n >= 0] for row in outputs["output_ids"].tolist()] == [
        list(range(size)) for size in (3, 1, 5, 2, 4)
    ]
