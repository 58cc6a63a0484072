from __future__ import annotations

import base64
import sys

import numpy as np
import pytest

from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.tasks.detection.pipeline import DetectionPipeline
from modelyard.tasks.detection.select import MOST
from tests.pictures import encoded

PIPELINE = DetectionPipeline(96, ["cat", "dog"])


class Fixed:
    """A graph that answers the same to every picture: two boxes, in pixels of the square."""

    def run(self, feeds):
        n = len(feeds["pixels"])
        boxes = np.tile(np.float32([[8, 16, 40, 32], [-5, -5, 200, 200], [0, 0, 1, 1]]), (n, 1, 1))
        scores = np.tile(np.float32([[0, 0.9], [0.6, 0], [0, 0]]), (n, 1, 1))
        return {"raw_boxes": boxes, "raw_scores": scores}


def test_boxes_come_back_in_pixels_of_each_picture_cut_at_its_edges():
    items = [PIPELINE.prepare({"image": encoded(0, width, height)}) for width, height in ((192, 96), (48, 96))]
    decoded = PIPELINE.decode(PIPELINE.run({"model": Fixed()}, PIPELINE.collate(items)))
    assert decoded["count"].tolist() == [2, 2]
    assert decoded["labels"][0, :3].tolist() == ["dog", "cat", ""]
    assert decoded["boxes"].shape == (2, MOST, 4)
    assert decoded["boxes"][0, :2].tolist() == [[16, 32, 80, 64], [0, 0, 192, 96]]
    assert decoded["boxes"][1, :2].tolist() == [[8, 16, 40, 32], [0, 0, 48, 96]]
    assert decoded["scores"][0, :2].tolist() == pytest.approx([0.9, 0.6])
    assert {name: array.dtype for name, array in decoded.items()} == {
        "boxes": np.float32,
        "scores": np.float32,
        "labels": object,
        "count": np.int32,
    }


def test_a_picture_may_come_as_bytes_or_as_base64_in_json():
    content = encoded(1)
    raw = PIPELINE.prepare({"image": content})
    said = PIPELINE.prepare({"image": base64.b64encode(content).decode()})
    assert np.array_equal(raw.features["pixels"], said.features["pixels"])


def test_a_picture_that_exif_turns_is_answered_as_people_see_it():
    prepared = PIPELINE.prepare({"image": encoded(2, 24, 16, kind="JPEG", orientation=6)})
    assert prepared.features["frame"][2:].tolist() == [16, 24]


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "image is missing"),
        ({"image": b"not a picture"}, "cannot be read"),
        ({"image": encoded(3)[:40]}, "cannot be read"),
        ({"image": "no base64!"}, "neither bytes nor Base64"),
        ({"image": 7}, "is int, not bytes"),
    ],
)
def test_what_is_no_picture_is_refused(item, message):
    with pytest.raises(BadInput, match=message):
        PIPELINE.prepare(item)
    with pytest.raises(BadInput, match=message) as caught:
        PIPELINE.prepare_batch([{"image": encoded(4)}, item])
    assert caught.value.where == "item 1"


def test_a_package_does_not_open_where_pictures_cannot_be_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EnvironmentProblem, match="Pillow") as error:
        DetectionPipeline(96, ["cat"])
    assert error.value.next == "pip install 'modelyard[vision]'"
