from __future__ import annotations

import contextlib

import numpy as np
import pytest

from modelyard.errors import BadInput
from modelyard.tasks.pipeline import Prepared
from modelyard.training.preparing import Chunk, prepare_rows
from modelyard.training.row_cache import INDEX, RowCache

IDENTITY = {"dataset": "d", "side": "train"}


class Lengths:
    """`n` becomes a row of n numbers; 0 is refused; what was asked for is kept."""

    def __init__(self):
        self.asked = []

    def prepare_batch(self, items):
        for place, item in enumerate(items):
            if not item["n"]:
                raise BadInput("the row is empty", where=f"item {place}")
        self.asked.extend(item["n"] for item in items)
        return [row(item["n"]) for item in items]


def row(n):
    ids = np.arange(n, dtype=np.int64) + 1000 * n
    return Prepared({"ids": ids, "mask": np.ones(n, np.int64)}, n, truncated=n > 5)


def chunk(*numbers):
    return Chunk([{"n": n} for n in numbers], np.array(numbers, np.int64), lambda place: f"row of {numbers[place]}")


def prepared(folder, parts, *, identity=IDENTITY, said=None):
    """The rows, and what had to be prepared for them."""
    cache = RowCache(folder, identity, [].append if said is None else said.append)
    pipeline = Lengths()
    left = [part for part in parts if part[0] >= cache.done and not cache.finished]
    return prepare_rows(pipeline, left, cache, lambda done: None), pipeline.asked


PARTS = [(0, [chunk(3, 1), chunk(4)]), (2, [chunk(6, 2)])]


def assert_whole(rows):
    assert len(rows) == 5
    assert rows.sizes.tolist() == rows.targets.tolist() == [3, 1, 4, 6, 2]
    assert rows.truncated == 1
    for place, n in enumerate([3, 1, 4, 6, 2]):
        item = rows.item(place)
        assert item.size == n
        for name, values in row(n).features.items():
            assert item.features[name].dtype == np.int64
            assert item.features[name].tolist() == values.tolist()


def test_a_row_comes_back_as_the_pipeline_made_it(tmp_path):
    rows, _ = prepared(tmp_path / "rows", PARTS)
    assert_whole(rows)
    assert {name: flat.dtype for name, flat in rows.features.items()} == {"ids": np.int16, "mask": np.int8}


def test_nothing_is_prepared_twice(tmp_path):
    prepared(tmp_path / "rows", PARTS)
    rows, asked = prepared(tmp_path / "rows", PARTS)
    assert asked == []
    assert_whole(rows)


def test_after_a_bad_row_the_parts_before_it_need_not_be_prepared_again(tmp_path):
    with pytest.raises(BadInput, match="empty") as caught:
        prepared(tmp_path / "rows", [PARTS[0], (2, [chunk(6), chunk(2, 0)])])
    assert caught.value.where == "row of 0"
    rows, asked = prepared(tmp_path / "rows", PARTS)
    assert asked == [6, 2]
    assert_whole(rows)


@pytest.mark.parametrize("harm", ["feature-0.bin", "starts.bin", "targets.bin", INDEX])
def test_torn_rows_are_made_again(tmp_path, harm):
    prepared(tmp_path / "rows", PARTS)
    path = tmp_path / "rows" / harm
    path.write_bytes(path.read_bytes()[:-3])
    said = []
    rows, asked = prepared(tmp_path / "rows", PARTS, said=said)
    assert asked == [3, 1, 4, 6, 2]
    assert "made again" in said[0]
    assert_whole(rows)


def test_rows_of_other_data_are_made_again_under_the_feet_of_nobody(tmp_path):
    old, _ = prepared(tmp_path / "rows", PARTS)
    new, asked = prepared(tmp_path / "rows", [(0, [chunk(7)])], identity={**IDENTITY, "dataset": "e"})
    assert asked == [7]
    assert new.sizes.tolist() == [7]
    assert_whole(old)


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (Prepared({"ids": np.arange(3)}, 3), "ids"),
        (Prepared({"ids": np.arange(3), "mask": np.ones(2)}, 3), "2 values of mask for rows of 3"),
    ],
    ids=["a feature less", "a feature too short"],
)
def test_a_task_that_prepares_rows_unlike_each_other_is_told(tmp_path, bad, message):
    with contextlib.closing(RowCache(tmp_path / "rows", IDENTITY, print)) as cache:
        cache.append([row(3)], np.zeros(1))
        with pytest.raises(BadInput, match=message):
            cache.append([bad], np.zeros(1))


def pictured(place, boxes):
    pixels = np.full((3, 4, 4), place, dtype=np.uint8)
    return Prepared({"pixels": pixels, "frame": np.full(2, place, dtype=np.float32)}, 16), np.full((boxes, 5), place)


def test_features_of_one_shape_and_several_targets_a_row_come_back_row_by_row(tmp_path):
    made = [pictured(place, boxes) for place, boxes in enumerate((2, 0, 3, 1))]
    with contextlib.closing(RowCache(tmp_path / "rows", IDENTITY, print)) as cache:
        cache.append([item for item, _ in made[:3]], [targets for _, targets in made[:3]])
        cache.commit(1)
    with contextlib.closing(RowCache(tmp_path / "rows", IDENTITY, print)) as cache:
        assert cache.done == 1
        cache.append([made[3][0]], [made[3][1]])
        cache.finish()
        rows = cache.rows()
    for place, (item, _) in enumerate(made):
        found = rows.item(place)
        assert found.size == 16
        for name, values in item.features.items():
            assert found.features[name].dtype == values.dtype
            assert np.array_equal(found.features[name], values)
    padded = rows.targets_of(np.array([3, 2, 1]))
    assert padded.shape == (3, 3, 5)
    assert padded[:, :, 0].tolist() == [[3, -1, -1], [2, 2, 2], [-1, -1, -1]]


def test_a_picture_of_another_shape_is_told(tmp_path):
    with contextlib.closing(RowCache(tmp_path / "rows", IDENTITY, print)) as cache:
        item, targets = pictured(0, 1)
        cache.append([item], [targets])
        with pytest.raises(BadInput, match="pixels otherwise"):
            cache.append([Prepared({**item.features, "pixels": np.zeros((3, 4, 5), np.uint8)}, 16)], [targets])
