from __future__ import annotations

import pytest

from modelyard.errors import BadInput
from modelyard.measure.examples import Examples, hold_labels, read_examples
from modelyard.store import Store
from modelyard.tasks import load_task
from tests.unit.stages.train.striped_pictures import striped


def test_a_class_that_the_package_does_not_know_is_named_whatever_holds_it():
    hold_labels(load_task("text_classification"), ["a", "b"], ["a", "b"], "test")
    with pytest.raises(BadInput, match="the test rows have the class 'c', the package knows a, b"):
        hold_labels(load_task("text_classification"), ["a", "c"], ["a", "b"], "test")
    boxes = [[], [{"label": "a", "x": 0.0, "y": 0.0, "width": 2.0, "height": 2.0}]]
    hold_labels(load_task("detection"), boxes, ["a"], "test")
    with pytest.raises(BadInput, match="the test rows have the class 'a', the package knows b"):
        hold_labels(load_task("detection"), boxes, ["b"], "test")


def test_targets_that_are_numbers_hold_no_class():
    hold_labels(load_task("text_embedding"), [0.5, 1.0], [], "test")


def test_the_text_of_a_request_is_empty_where_it_is_a_file():
    examples = Examples([{"text": "a"}, {"image": b"\x89PNG"}], [1, 2], ["0", "1"], {})
    assert [examples.text(place) for place in range(2)] == ["a", ""]


def test_some_rows_of_a_side_hold_every_class_where_data_lie_in_a_folder_a_class(tmp_path):
    some = read_examples(striped(Store(tmp_path)), load_task("image_classification"), "train", rows=20)
    assert len(some) == 20
    assert 8 <= some.targets.count("across") <= 12
