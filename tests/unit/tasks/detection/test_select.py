"""The selection in NumPy, by hand and beside ONNX Runtime's."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from modelyard.runtimes.onnxruntime import open_graph
from modelyard.tasks.detection.matching import same_detections
from modelyard.tasks.detection.select import MOST, SCORE, select
from modelyard.tasks.detection.selection_nodes import append_selection


def test_the_surer_of_two_boxes_of_one_thing_is_kept_and_other_classes_are_let_be():
    boxes = np.float32([[[0, 0, 10, 10], [1, 0, 11, 10], [50, 50, 60, 60], [0, 0, 10, 10]]])
    scores = np.float32([[[0.6, 0.0], [0.9, 0.0], [0.3, 0.0], [0.0, 0.8]]])
    found = select(boxes, scores)
    assert found["count"].tolist() == [3]
    assert found["scores"][0, :4].tolist() == pytest.approx([0.9, 0.8, 0.3, 0.0])
    assert found["classes"][0, :3].tolist() == [0, 1, 0]
    assert found["boxes"][0, :3].tolist() == [[1, 0, 11, 10], [0, 0, 10, 10], [50, 50, 60, 60]]
    assert not found["boxes"][0, 3:].any()


def test_a_score_at_the_bar_is_not_above_it():
    boxes = np.float32([[[0, 0, 10, 10], [50, 50, 60, 60]]])
    scores = np.float32([[[SCORE], [SCORE + 0.01]]])
    assert select(boxes, scores)["count"].tolist() == [1]


def selection_graph(path, cells, classes):
    """The selection alone: boxes and scores of all cells are handed in."""
    given = [
        helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", cells, last])
        for name, last in (("given_boxes", 4), ("given_scores", classes))
    ]
    nodes = [helper.make_node("Identity", [f"given_{each}"], [f"raw_{each}"]) for each in ("boxes", "scores")]
    told = [
        helper.make_tensor_value_info(f"raw_{each}", TensorProto.FLOAT, ["batch", cells, last])
        for each, last in (("boxes", 4), ("scores", classes))
    ]
    model = helper.make_model(
        helper.make_graph(nodes, "selection", given, told), opset_imports=[helper.make_opsetid("", 20)], ir_version=10
    )
    append_selection(model, cells, classes)
    onnx.checker.check_model(model, full_check=True)
    path.write_bytes(model.SerializeToString())
    return open_graph([path], 1)


@pytest.mark.parametrize("classes", [1, 4])
def test_the_nodes_of_the_graph_choose_what_numpy_chooses(tmp_path, classes):
    cells = 150
    graph = selection_graph(tmp_path / "selection.onnx", cells, classes)
    rng = np.random.default_rng(classes)
    for batch, share in ((1, 0.5), (3, 0.05), (2, 0.0), (2, 1.0)):
        corners = rng.uniform(0, 100, (batch, cells, 2))
        boxes = np.concatenate([corners, corners + rng.uniform(5, 40, (batch, cells, 2))], axis=2).astype(np.float32)
        scores = (rng.random((batch, cells, classes)) * (rng.random((batch, cells, 1)) < share)).astype(np.float32)
        found = graph.run({"given_boxes": boxes, "given_scores": scores})
        wanted = select(boxes, scores)
        for name, values in wanted.items():
            assert found[name].dtype == values.dtype, name
            assert found[name].shape == values.shape, name
            assert np.array_equal(found[name], values), (name, batch, share)
    assert found["count"].max() <= MOST


def some(rows):
    """(label number, x, y, score) of boxes 10 wide and high, one picture."""
    boxes, scores, classes = np.zeros((1, MOST, 4)), np.zeros((1, MOST)), np.zeros((1, MOST), np.int64)
    for place, (kind, x, y, score) in enumerate(rows):
        boxes[0, place], scores[0, place], classes[0, place] = (x, y, x + 10, y + 10), score, kind
    return {"boxes": boxes, "scores": scores, "classes": classes}


@pytest.mark.parametrize(
    ("found", "same"),
    [
        ([(0, 0, 0, 0.9), (1, 50, 50, 0.8)], True),
        ([(1, 50, 50, 0.8), (0, 0, 0, 0.9)], True),  # in another order
        ([(0, 1, 1, 0.7), (1, 50, 50, 0.49)], True),  # moved a little, and a score that fell below the bar
        ([(0, 0, 0, 0.9), (1, 50, 50, 0.8), (2, 80, 80, 0.3)], True),  # one more that nobody believes in
        ([(0, 0, 0, 0.9), (1, 50, 50, 0.8), (2, 80, 80, 0.6)], False),  # one more
        ([(0, 0, 0, 0.9)], False),  # one less
        ([(0, 0, 0, 0.9), (0, 50, 50, 0.8)], False),  # another class
        ([(0, 0, 0, 0.9), (1, 57, 50, 0.8)], False),  # elsewhere
        ([(0, 0, 0, 0.9), (1, 50, 50, 0.8), (1, 51, 50, 0.7)], False),  # the same one twice
    ],
)
def test_sets_of_boxes_are_the_same_in_any_order(found, same):
    wanted = some([(0, 0, 0, 0.9), (1, 50, 50, 0.8)])
    assert same_detections(some(found), wanted).tolist() == [same]
    assert same_detections(wanted, some(found)).tolist() == [same]
