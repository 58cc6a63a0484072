from __future__ import annotations

import json

import numpy as np
import onnx
import pytest
import torch

from modelyard.errors import BadInput
from modelyard.measure.reference import Reference
from modelyard.runtimes.golden import compare
from modelyard.runtimes.onnxruntime import open_graph
from modelyard.store import Model
from modelyard.tasks.detection.assignment import assign
from modelyard.tasks.detection.box_overlap import complete_iou, pairwise_iou
from modelyard.tasks.detection.network import cell_points
from modelyard.tasks.detection.recipes import RECIPES, Detector, config_of, read_config
from modelyard.tasks.detection.targets import box_targets
from modelyard.tasks.detection.training import DetectionTraining
from modelyard.training.base import resolve_base
from tests.pictures import encoded

TINY = Detector(image_size=96, widths=(4, 4, 8, 8, 8), neck=8)
LABELS = ["cat", "dog", "fox"]
TRAINING = DetectionTraining()


@pytest.fixture
def base(tmp_path):
    folder = tmp_path / "base"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps(config_of(TINY)))
    return folder


def one_box(label, x, y, width, height):
    return {"label": label, "x": x, "y": y, "width": width, "height": height}


def test_overlap_is_that_worked_out_by_hand():
    one = torch.tensor([[[0.0, 0.0, 10.0, 10.0]]])
    other = torch.tensor([[[0.0, 0.0, 10.0, 10.0], [5.0, 0.0, 15.0, 10.0], [20.0, 20.0, 30.0, 30.0]]])
    assert pairwise_iou(one, other)[0, 0].tolist() == pytest.approx([1.0, 1 / 3, 0.0], abs=1e-6)
    # Of equal proportions the last term is 0: IoU less the distance of the middles by the diagonal around both.
    expected = [1.0, 1 / 3 - 25 / (15**2 + 10**2), -(20**2 * 2) / (30**2 * 2)]
    assert complete_iou(one.expand(1, 3, 4), other)[0].tolist() == pytest.approx(expected, abs=1e-5)


def test_cells_answer_for_the_box_that_they_lie_in_and_get_right():
    points = cell_points(96)
    wanted = torch.tensor([[[8.0, 8.0, 40.0, 40.0], [0.0, 0.0, 0.0, 0.0]]])
    classes = torch.tensor([[1, -1]])
    boxes = wanted[:, :1].expand(1, len(points), 4).clone()
    scores = torch.full((1, len(points), 3), 0.5)
    found = assign(boxes, scores, points, wanted, classes)
    inside = (points[:, 0] > 8) & (points[:, 0] < 40) & (points[:, 1] > 8) & (points[:, 1] < 40)
    assert found.chosen.sum() == 10
    assert not (found.chosen[0] & ~inside).any()
    assert found.scores[0, :, 1].max() == pytest.approx(1.0, abs=1e-4)  # what the box reaches: all of it
    assert found.scores[0, :, (0, 2)].max() == 0
    assert (found.boxes[found.chosen] == wanted[0, 0]).all()


def test_a_box_too_small_for_any_cell_still_has_one():
    points = cell_points(96)
    wanted = torch.tensor([[[9.0, 9.0, 10.0, 10.0]]])
    boxes = torch.zeros((1, len(points), 4))
    found = assign(boxes, torch.zeros((1, len(points), 3)), points, wanted, torch.tensor([[0]]))
    assert found.chosen.sum() == 1
    assert points[found.chosen[0]][0, :2].tolist() == [8.0, 8.0]


def test_batches_without_any_box_have_a_loss_and_a_gradient(base):
    torch.manual_seed(0)
    model = TRAINING.load(str(base), LABELS, {})
    pipeline = TRAINING.pipeline(str(base), LABELS, 0)
    feeds = pipeline.collate(pipeline.prepare_batch([{"image": encoded(seed)} for seed in range(2)]))
    outputs = TRAINING.forward(model, {name: torch.from_numpy(array) for name, array in feeds.items()})
    loss, weight = TRAINING.loss(outputs, torch.zeros((2, 0, 5)), {})
    assert float(weight) == 1.0
    assert loss > 0
    loss.backward()


def test_targets_are_scaled_as_the_pictures_are(base):
    torch.manual_seed(0)
    model = TRAINING.load(str(base), LABELS, {}).eval()
    pipeline = TRAINING.pipeline(str(base), LABELS, 0)

    def loss(width, height, sides):
        feeds = pipeline.collate([pipeline.prepare({"image": encoded(5, width, height)})])
        feeds["pixels"] = np.zeros_like(feeds["pixels"])
        outputs = TRAINING.forward(model, {name: torch.from_numpy(array) for name, array in feeds.items()})
        targets = torch.from_numpy(np.stack(TRAINING.targets([[one_box("dog", *sides)]], LABELS)))
        return float(TRAINING.loss(outputs, targets, {})[0].detach())

    assert loss(96, 48, (10, 10, 30, 20)) == pytest.approx(loss(192, 96, (20, 20, 60, 40)), rel=1e-5)


def test_a_class_that_the_model_does_not_know_is_named():
    with pytest.raises(BadInput, match="'owl' is not one of the model's"):
        box_targets([[one_box("owl", 0, 0, 1, 1)]], LABELS)
    assert [len(each) for each in box_targets([[], [one_box("fox", 1, 2, 3, 4)]], LABELS)] == [0, 1]
    assert box_targets([[one_box("fox", 1, 2, 3, 4)]], LABELS)[0].tolist() == [[2, 1, 2, 4, 6]]


def test_it_learns_one_picture_by_heart(base):
    torch.manual_seed(0)
    model = TRAINING.load(str(base), LABELS, {})
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 80, (96, 96, 3), dtype=np.uint8)
    picture[20:52, 30:70] = 255
    feeds = {
        "pixels": torch.from_numpy(np.ascontiguousarray(picture.transpose(2, 0, 1))[None]),
        "frame": torch.tensor([[1.0, 1.0, 96.0, 96.0]]),
    }
    true = [one_box("dog", 30, 20, 40, 32)]
    targets = torch.from_numpy(np.stack(TRAINING.targets([true], LABELS)))
    optimizer = torch.optim.AdamW(model.parameters(), lr=0.01)
    for _ in range(120):
        loss, weight = TRAINING.loss(TRAINING.forward(model, feeds), targets, {})
        optimizer.zero_grad()
        (loss / weight).backward()
        optimizer.step()
    with torch.inference_mode():
        outputs = {name: values.numpy() for name, values in TRAINING.forward(model, feeds).items()}
    figures = TRAINING.metrics(TRAINING.judged(outputs), targets.numpy(), LABELS)
    assert figures["map50"] == 1.0
    assert figures["map"] > 0.6


def test_what_is_saved_opens_again_and_a_head_for_other_classes_gives_way(base, tmp_path):
    torch.manual_seed(0)
    model = TRAINING.load(str(base), LABELS, {})
    TRAINING.save(model, str(base), tmp_path, LABELS, 0)
    assert Model.open(tmp_path).labels == LABELS
    assert read_config(tmp_path) == TINY
    again = TRAINING.load(str(tmp_path), LABELS, {})
    for name, values in model.state_dict().items():
        assert torch.equal(values, again.state_dict()[name]), name
    other = TRAINING.load(str(tmp_path), ["owl"], {})
    assert torch.equal(other.state_dict()["stem.0.weight"], model.state_dict()["stem.0.weight"])
    assert other.state_dict()["classes.0.out.weight"].shape[0] == 1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"model_type": "bert"}, "does not say modelyard_detector"),
        ({"image_size": 100}, "multiple of 32"),
        ({"widths": [4, 4]}, "five numbers"),
        ({"neck": "wide"}, "not complete"),
    ],
)
def test_a_configuration_that_is_no_detector_is_refused(base, changed, message):
    (base / "config.json").write_text(json.dumps({**config_of(TINY), **changed}))
    with pytest.raises(BadInput, match=message):
        TRAINING.pipeline(str(base), LABELS, 0)


def test_a_recipe_is_a_base_and_so_is_a_folder_with_its_configuration(base, monkeypatch, tmp_path):
    monkeypatch.setattr("modelyard.training.base.cache_folder", lambda: tmp_path / "cache")
    made = resolve_base("detector-nano", TRAINING)
    assert json.loads((made / "config.json").read_bytes()) == json.loads(json.dumps(dict(RECIPES["detector-nano"])))
    assert resolve_base("detector-nano", TRAINING) == made
    assert resolve_base(str(base), TRAINING) == base


def test_the_graph_answers_as_the_model_does_and_chooses_its_boxes(base, tmp_path):
    torch.manual_seed(0)
    model = TRAINING.load(str(base), LABELS, {})
    with torch.no_grad():  # scores that are not all near nothing
        for head in model.classes:
            head.out.weight.mul_(30)
            head.out.bias.fill_(-0.5)
    trained = tmp_path / "trained"
    trained.mkdir()
    TRAINING.save(model, str(base), trained, LABELS, 0)
    exported = TRAINING.export(trained, tmp_path, 0)
    path = tmp_path / exported["graphs"]["model"]["files"][0]
    onnx.checker.check_model(onnx.load(path), full_check=True)
    pipeline = TRAINING.pipeline(str(trained), LABELS, 0)
    graph, reference = open_graph([path], 1), Reference(TRAINING, TRAINING.load(str(trained), LABELS, {}))
    for batch in (1, 3):
        feeds = pipeline.collate(pipeline.prepare_batch([{"image": encoded(seed, 80, 60)} for seed in range(batch)]))
        found, wanted = pipeline.run({"model": graph}, feeds), pipeline.run({"model": reference}, feeds)
        assert wanted["count"].min() > 0
        gap, same, why = compare(found, wanted, "boxes")
        assert (same, why) == (True, "")
        assert gap < 1e-3
    assert [each["name"] for each in exported["tensor"]["outputs"]] == [
        "raw_boxes",
        "raw_scores",
        "boxes",
        "scores",
        "classes",
        "count",
    ]
