"""COCO: one JSON document of images, annotations and categories (cocodataset.org/#format-data).

Class numbers are ids, not places in a list: they may have gaps, and stand in any order.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from modelyard.fields.codecs.numbers import finite, is_number
from modelyard.fields.label import Label
from modelyard.media.box_geometry import Boxes, areas, around, clipped, rotated_about_centre, turned
from modelyard.media.named_boxes import Box, labelled, rectangles
from modelyard.media.pixels import Header


@dataclass(frozen=True)
class CocoImage:
    """A picture that the document names. width, height: what it says, None where it says nothing. annotations: those
    of this picture, as they stand there."""

    file_name: str
    width: float | None
    height: float | None
    annotations: list[Mapping[str, Any]] = field(default_factory=list)


@dataclass(frozen=True)
class Coco:
    """names: category id -> class name. homeless: annotations of pictures that the document does not name."""

    names: Mapping[Any, str]
    images: Sequence[CocoImage]
    homeless: int


def read_document(document: Any) -> Coco:
    """Raises ValueError for what is no COCO document."""
    if not isinstance(document, Mapping):
        raise ValueError(f"a JSON {type(document).__name__}, not a COCO document")
    images, annotations, categories = (_list(document, key) for key in ("images", "annotations", "categories"))
    names: dict[Any, str] = {}
    for category in categories:
        name = Label().read(category.get("name"))
        if name is None or not _is_id(category.get("id")):
            raise ValueError(f"a category without id or name: {str(dict(category))[:80]}")
        if names.setdefault(category["id"], name) != name:
            raise ValueError(f"two categories of the id {category['id']}: {names[category['id']]} and {name}")
    by_id: dict[Any, CocoImage] = {}
    for image in images:
        file_name = image.get("file_name")
        if not isinstance(file_name, str) or not file_name or not _is_id(image.get("id")):
            raise ValueError(f"an image without id or file_name: {str(dict(image))[:80]}")
        if image["id"] in by_id:
            raise ValueError(f"two images of the id {image['id']}: {by_id[image['id']].file_name} and {file_name}")
        by_id[image["id"]] = CocoImage(file_name, _side(image, "width"), _side(image, "height"))
    homeless = 0
    for annotation in annotations:
        of = annotation.get("image_id")
        if _is_id(of) and of in by_id:
            by_id[of].annotations.append(annotation)
        else:
            homeless += 1
    return Coco(names, list(by_id.values()), homeless)


def boxes_of(image: CocoImage, names: Mapping[Any, str], header: Header) -> tuple[list[Box], int]:
    """The boxes of a picture on its upright pixels, cut at its edges, and how many annotations were left out: regions
    of a crowd (one box around many things) and boxes that have no area in the picture.

    A document that tells the size as stored, though the picture is shown turned (EXIF), has boxes on the stored pixels:
    they are turned with it. Raises ValueError where the size is neither, a category is not defined, or a box is none.
    """
    orientation = _orientation_of(image, header)
    labels: list[str] = []
    sides: list[Boxes] = []
    for annotation in image.annotations:
        if annotation.get("iscrowd"):
            continue
        category = annotation.get("category_id")
        if not _is_id(category) or category not in names:
            raise ValueError(f"a box of the category {category!r}, which categories does not define")
        labels.append(names[category])
        sides.append(_rectangle(annotation))
    found = np.stack(sides) if sides else np.zeros((0, 4))
    found = clipped(turned(found, orientation, header.stored_width, header.stored_height), header.width, header.height)
    seen = areas(found) > 0
    boxes = labelled([label for label, there in zip(labels, seen, strict=True) if there], found[seen])
    return boxes, len(image.annotations) - len(boxes)


def _orientation_of(image: CocoImage, header: Header) -> int:
    """How the boxes must be turned: not at all where they lie on the upright picture, or nothing tells."""
    if image.width is None or image.height is None:
        return 1
    said = (image.width, image.height)
    if said == (header.width, header.height):
        return 1
    if said == (header.stored_width, header.stored_height):
        return header.orientation
    raise ValueError(
        f"the boxes were drawn on {said[0]:g} x {said[1]:g} pixels, the picture has {header.width} x {header.height}"
    )


def _rectangle(annotation: Mapping[str, Any]) -> Boxes:
    """x, y, width, height: float64 [4]. What is rotated (CVAT: attributes.rotation, clockwise about the centre) becomes
    the upright box around it."""
    given = annotation.get("bbox")
    if not isinstance(given, Sequence) or len(given) != 4 or not all(map(is_number, given)):
        raise ValueError(f"a bbox that is not four numbers: {str(given)[:60]}")
    sides = [side for side in map(finite, given) if side is not None]
    if len(sides) != 4:
        raise ValueError(f"a bbox that is not finite: {str(given)[:60]}")
    attributes = annotation.get("attributes")
    rotation = attributes.get("rotation") if isinstance(attributes, Mapping) else None
    if is_number(rotation) and rotation:
        degrees = finite(rotation)
        if degrees is None:
            raise ValueError(f"a rotation that is not finite: {str(rotation)[:60]}")
        x, y, width, height = sides
        return around(rotated_about_centre(x, y, width, height, degrees))
    return np.array(sides, dtype=np.float64)


def _list(document: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    value = document.get(key)
    if not isinstance(value, list) or not all(isinstance(each, Mapping) for each in value):
        raise ValueError(f"{key} is no list of objects: not a COCO document")
    return value


def _side(image: Mapping[str, Any], key: str) -> float | None:
    value = finite(image.get(key))
    return value if value is not None and value > 0 else None


def _is_id(value: Any) -> bool:
    return isinstance(value, int | str) and not isinstance(value, bool)


def document_of(rows: Iterable[tuple[str, int, int, Sequence[Box]]], classes: Sequence[str]) -> dict[str, Any]:
    """A document of pictures: (file name, width, height, boxes) each. Ids count from 1; the category of a class is its
    place in `classes`, from 1. Raises ValueError for a box of another class."""
    number = {name: place for place, name in enumerate(classes, start=1)}
    images: list[dict[str, Any]] = []
    annotations: list[dict[str, Any]] = []
    for image, (name, width, height, boxes) in enumerate(rows, start=1):
        images.append({"id": image, "file_name": name, "width": width, "height": height})
        for box, sides in zip(boxes, rectangles(boxes).tolist(), strict=True):
            if box["label"] not in number:
                raise ValueError(f"a box of the class {box['label']!r}, which is none of the classes")
            annotations.append(
                {
                    "id": len(annotations) + 1,
                    "image_id": image,
                    "category_id": number[box["label"]],
                    "bbox": sides,
                    "area": sides[2] * sides[3],
                    "iscrowd": 0,
                }
            )
    return {
        "images": images,
        "annotations": annotations,
        "categories": [{"id": place, "name": name} for name, place in number.items()],
    }
