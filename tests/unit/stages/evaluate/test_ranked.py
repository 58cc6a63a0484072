from __future__ import annotations

import itertools

import numpy as np

from modelyard.measure.examples import Examples
from modelyard.run import Run
from modelyard.stages.evaluate.ranked import levels, record_ranked


def test_each_wanted_value_is_a_level_where_there_are_few():
    pairs = np.array([[0.1, 0.0], [0.3, 0.0], [0.2, 0.0], [0.9, 1.0], [0.7, 1.0]])
    found = levels(pairs)
    assert [(one["low"], one["high"], one["rows"], one["median"]) for one in found] == [(0, 0, 3, 0.2), (1, 1, 2, 0.8)]


def test_many_wanted_values_are_put_together_in_their_order_and_equal_ones_never_parted():
    wanted = np.concatenate([np.zeros(50), np.linspace(0.01, 1, 100)])
    found = levels(np.stack([wanted, wanted], axis=1))
    assert 5 < len(found) <= 10
    assert sum(one["rows"] for one in found) == 150
    assert found[0]["rows"] >= 50
    assert all(before["high"] < after["low"] for before, after in itertools.pairwise(found))


def test_the_rows_furthest_from_their_place_are_shown_with_both_texts_and_their_line():
    texts = [{"text": f"{side}{row}"} for row in range(4) for side in "ab"]
    test = Examples(texts, [0.0, 0.3, 0.6, 1.0], ["r0", "r1", "r2", "r3"], {"source_line": [2, 3, 4, 5]})
    run = Run()
    record_ranked(np.array([[0.9, 0.0], [0.2, 0.3], [0.3, 0.6], [0.4, 1.0]]), test, run)
    first = run.details["examples_apart"][0]
    assert first == {"row_id": "r0", "texts": ["a0", "b0"], "answered": 0.9, "wanted": 0.0, "apart": 1.0, "line": 2}
