"""Boxes to other tools' formats and back."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modelyard.fields.codecs import coco, label_studio, yolo
from modelyard.media.named_boxes import Box
from modelyard.media.pixels import Header

NAMES = ["no", "yes", "7", "猫"]


@st.composite
def scenes(draw: st.DrawFn) -> tuple[int, int, list[Box]]:
    """A picture's size, and boxes inside it."""
    width, height = draw(st.integers(2, 5000)), draw(st.integers(2, 5000))
    boxes = []
    for _ in range(draw(st.integers(0, 5))):
        x, y = draw(st.floats(0, width - 1)), draw(st.floats(0, height - 1))
        box = {"label": draw(st.sampled_from(NAMES)), "x": x, "y": y}
        boxes.append({**box, "width": draw(st.floats(0.5, width - x)), "height": draw(st.floats(0.5, height - y))})
    return width, height, boxes


def approximately(boxes: list[Box]) -> Any:
    return [
        {key: value if key == "label" else pytest.approx(value, abs=1e-5) for key, value in b.items()} for b in boxes
    ]


def from_coco(document: dict[str, Any], header: Header) -> list[Box]:
    read = coco.read_document(json.loads(json.dumps(document)))
    return coco.boxes_of(read.images[0], read.names, header)[0]


@given(scenes())
def test_coco_gives_back_exactly_what_was_written(scene: tuple[int, int, list[Box]]) -> None:
    width, height, boxes = scene
    document = coco.document_of([("a.png", width, height, boxes)], NAMES)
    assert from_coco(document, Header(width, height, 1)) == boxes


@given(scenes())
def test_yolo_gives_back_what_was_written(scene: tuple[int, int, list[Box]]) -> None:
    width, height, boxes = scene
    lines = yolo.lines_of(boxes, NAMES, width, height)
    read = [yolo.read_line(line, dict(enumerate(NAMES))) for line in lines]
    assert yolo.boxes_of(read, width, height) == (approximately(boxes), 0)


@given(scenes())
def test_from_coco_through_ours_to_yolo_and_back_to_coco(scene: tuple[int, int, list[Box]]) -> None:
    width, height, boxes = scene
    first = from_coco(coco.document_of([("a.png", width, height, boxes)], NAMES), Header(width, height, 1))
    lines = yolo.lines_of(first, NAMES, width, height)
    back, _ = yolo.boxes_of([yolo.read_line(line, dict(enumerate(NAMES))) for line in lines], width, height)
    again = from_coco(coco.document_of([("a.png", width, height, back)], NAMES), Header(width, height, 1))
    assert again == approximately(boxes)


@given(scenes())
def test_label_studio_gives_back_what_was_written(scene: tuple[int, int, list[Box]]) -> None:
    width, height, boxes = scene
    results = json.loads(json.dumps(label_studio.results_of(boxes, width, height, "image", "label")))
    assert label_studio.boxes_of(results, width, height) == approximately(boxes)


def document(**changes: Any) -> dict[str, Any]:
    whole = {
        "images": [{"id": 1, "file_name": "a.png", "width": 100, "height": 50}],
        "annotations": [{"image_id": 1, "category_id": 3, "bbox": [10, 10, 20, 20]}],
        "categories": [{"id": 3, "name": "cat"}],
    }
    return {**whole, **changes}


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ([], "list, not a COCO document"),
        ({"images": []}, "annotations is no list"),
        (document(categories=[{"id": 1}]), "a category without id or name"),
        (document(categories=[{"id": 1, "name": "a"}, {"id": 1, "name": "b"}]), "two categories of the id 1: a and b"),
        (document(images=[{"id": 1, "file_name": "a"}, {"id": 1, "file_name": "b"}]), "two images of the id 1"),
        (document(images=[{"id": 1}]), "an image without id or file_name"),
        (document(annotations=[1]), "annotations is no list of objects"),
    ],
)
def test_what_is_no_coco_document_says_why(found: Any, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        coco.read_document(found)


@pytest.mark.parametrize(
    ("annotation", "why"),
    [
        ({"category_id": 9, "bbox": [1, 2, 3, 4]}, "category 9, which categories does not define"),
        ({"category_id": 3, "bbox": [1, 2, 3]}, "not four numbers"),
        ({"category_id": 3}, "not four numbers"),
        ({"category_id": 3, "bbox": [1, 2, 3, float("inf")]}, "not finite"),
        ({"category_id": 3, "bbox": [10**400, 2, 3, 4]}, "not finite"),
        ({"category_id": 3, "bbox": [1, 2, 3, 4], "attributes": {"rotation": 10**400}}, "rotation that is not finite"),
    ],
)
def test_an_annotation_that_is_no_box_says_why(annotation: dict[str, Any], why: str) -> None:
    read = coco.read_document(document(annotations=[{"image_id": 1, **annotation}]))
    with pytest.raises(ValueError, match=why):
        coco.boxes_of(read.images[0], read.names, Header(100, 50, 1))


def test_a_size_beyond_all_numbers_tells_nothing() -> None:
    images = [{"id": 1, "file_name": "a.png", "width": 10**400, "height": 50}]
    (image,) = coco.read_document(document(images=images)).images
    assert image.width is None


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"x": 10**400}, "for a number"),
        ({"rotation": float("nan")}, "for a number"),
        ({"rectanglelabels": "cat"}, "without a label"),
        ({"rectanglelabels": []}, "without a label"),
    ],
)
def test_a_rectangle_of_label_studio_that_is_none_says_why(changes: dict[str, Any], why: str) -> None:
    value = {"x": 1, "y": 1, "width": 5, "height": 5, "rectanglelabels": ["cat"], **changes}
    with pytest.raises(ValueError, match=why):
        label_studio.boxes_of([{"type": "rectanglelabels", "value": value}], 10, 10)


def test_crowds_and_boxes_outside_the_picture_are_left_out_and_counted() -> None:
    whole = {"image_id": 1, "category_id": 3}
    read = coco.read_document(
        document(
            annotations=[
                {**whole, "bbox": [90, 40, 11, 11]},
                {**whole, "bbox": [0, 0, 100, 50], "iscrowd": 1},
                {**whole, "bbox": [200, 0, 5, 5]},
                {**whole, "bbox": [5, 5, 0, 5]},
                {**whole, "image_id": 7, "bbox": [1, 1, 1, 1]},
            ]
        )
    )
    assert read.homeless == 1
    boxes, left_out = coco.boxes_of(read.images[0], read.names, Header(100, 50, 1))
    assert boxes == [{"label": "cat", "x": 90, "y": 40, "width": 10, "height": 10}]
    assert left_out == 3


def test_a_box_that_cvat_rotated_becomes_the_upright_box_around_it() -> None:
    rotated = {"image_id": 1, "category_id": 3, "bbox": [40, 20, 20, 10], "attributes": {"rotation": 90.0}}
    (box,) = from_coco(document(annotations=[rotated]), Header(100, 50, 1))
    assert box == approximately([{"label": "cat", "x": 45, "y": 15, "width": 10, "height": 20}])[0]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("0 0.5 0.5 0.1", "4 numbers; a box has 5"),
        ("0 0.5 0.5 0.1 0.1 0.9", "6 numbers"),
        ("9 0.5 0.5 0.1 0.1", "class 9, which names does not define"),
        ("0.5 0.5 0.5 0.1 0.1", "class 0.5"),
        ("cat 0.5 0.5 0.1 0.1", "not numbers"),
        ("0 0.5 0.5 -0.1 0.1", "negative size"),
        ("0 0.5 nan 0.1 0.1", "not finite"),
        ("", "not numbers"),
    ],
)
def test_a_line_of_yolo_that_is_no_box_says_why(line: str, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        yolo.read_line(line, {0: "cat"})


def test_a_polygon_of_yolo_becomes_the_box_around_it() -> None:
    read = yolo.read_line("0 0.1 0.2 0.5 0.1 0.3 0.6", {0: "cat"})
    assert yolo.boxes_of([read], 100, 200) == (
        approximately([{"label": "cat", "x": 10, "y": 20, "width": 40, "height": 100}]),
        0,
    )


@pytest.mark.parametrize(
    "write", [lambda b: coco.document_of([("a", 9, 9, b)], ["a"]), lambda b: yolo.lines_of(b, ["a"], 9, 9)]
)
def test_a_box_of_an_unknown_class_is_not_written(write: Any) -> None:
    with pytest.raises(ValueError, match="'b', which is none of the classes"):
        write([{"label": "b", "x": 0.0, "y": 0.0, "width": 1.0, "height": 1.0}])
