from __future__ import annotations

import base64
import sys

import numpy as np
import pytest

from modelyard.errors import BadInput, EnvironmentProblem
from modelyard.media.framing import SHORTER, Framing
from modelyard.tasks import load_task, tasks_that_read
from modelyard.tasks.image_classification.pipeline import ImageClassificationPipeline
from tests.pictures import encoded

LABELS = ["cat", "dog"]
PIPELINE = ImageClassificationPipeline(Framing(16), LABELS)


class Brightness:
    """A graph that says dog the more surely the brighter a picture is."""

    def run(self, feeds):
        means = feeds["pixels"].reshape(len(feeds["pixels"]), -1).mean(axis=1)
        return {"logits": np.stack([np.zeros_like(means), means - 127.5], axis=1).astype(np.float32)}


def test_each_picture_is_answered_with_its_class_and_the_scores_of_all():
    items = PIPELINE.prepare_batch([{"image": encoded(seed, 20 + seed, 31)} for seed in range(3)])
    feeds = PIPELINE.collate(items)
    assert (feeds["pixels"].shape, feeds["pixels"].dtype) == ((3, 3, 16, 16), np.uint8)
    decoded = PIPELINE.decode(PIPELINE.run({"model": Brightness()}, feeds))
    bright = feeds["pixels"].reshape(3, -1).mean(axis=1) > 127.5
    assert decoded["label"].tolist() == ["dog" if each else "cat" for each in bright]
    assert decoded["score"].tolist() == decoded["scores"].max(axis=1).tolist()
    assert decoded["scores"].sum(axis=1) == pytest.approx(1.0)


def test_a_picture_may_come_as_bytes_or_as_base64_in_json_and_is_turned_as_exif_says():
    content = encoded(1)
    raw, said = (PIPELINE.prepare({"image": each}) for each in (content, base64.b64encode(content).decode()))
    assert np.array_equal(raw.features["pixels"], said.features["pixels"])
    turned = PIPELINE.prepare({"image": encoded(1, orientation=6)}).features["pixels"]
    assert np.array_equal(turned, np.rot90(PIPELINE.prepare({"image": encoded(1)}).features["pixels"], -1, (1, 2)))


@pytest.mark.parametrize(
    ("item", "message"),
    [
        ({}, "image is missing"),
        ({"image": b"not a picture"}, "cannot be read"),
        ({"image": encoded(3)[:40]}, "cannot be read"),
        ({"image": encoded(0, 60_000, 1)}, "too narrow"),
    ],
)
def test_what_is_no_picture_that_can_be_used_is_refused(item, message):
    pipeline = ImageClassificationPipeline(Framing(64, SHORTER), LABELS)
    with pytest.raises(BadInput, match=message) as caught:
        pipeline.prepare_batch([{"image": encoded(4)}, item])
    assert caught.value.where == "item 1"


def test_a_package_that_does_not_say_how_pictures_are_framed_is_refused(tmp_path):
    (tmp_path / "package.json").write_text('{"labels": ["a", "b"]}')
    task = load_task("image_classification")
    for spec in ({}, {"image_size": 0, "resize": "stretch", "scaled": 0, "resample": "bilinear"}):
        with pytest.raises(BadInput, match="not complete"):
            task.open_pipeline(tmp_path, spec)
    assert task.open_pipeline(tmp_path, Framing(8).as_json()).framing == Framing(8)


def test_a_package_does_not_open_where_pictures_cannot_be_read(monkeypatch):
    monkeypatch.setitem(sys.modules, "PIL", None)
    with pytest.raises(EnvironmentProblem, match="Pillow"):
        ImageClassificationPipeline(Framing(8), LABELS)


def test_pictures_with_a_label_are_for_this_task():
    assert tasks_that_read({"image", "label"}) == ["image_classification"]
