"""Small pictures and folders of them for tests, and a task that takes what they hold."""

from __future__ import annotations

import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from modelyard.fields.codecs import coco, yolo
from modelyard.media.named_boxes import Box
from modelyard.media.pixels import ORIENTATION
from modelyard.stages.ingest import IngestConfig
from modelyard.stages.ingest.config import Format

CLASSES = ("no", "yes")
_TASK = """
from modelyard.tasks.task import Signature, Task

class Pictures(Task):
    name = "pictures"
    inputs = {"image": "image"}
    target, target_field = TARGET

    def signature(self, labels, tensor=None):
        return Signature((("image", "BYTES", (-1,)),), (("label", "BYTES", (-1,)),))

    def open_pipeline(self, folder, spec):
        raise NotImplementedError

    def training(self, framework="torch"):
        raise NotImplementedError

TASK = Pictures()
"""


def pictures_task(folder: Path, target: tuple[str, str] = ("boxes", "boxes")) -> str:
    """A folder with a task of that input `image` and this target, as `ingest.task` names it."""
    place = folder / f"task_{target[0]}"
    place.mkdir(exist_ok=True)
    (place / "__init__.py").write_text(_TASK.replace("TARGET", repr(target)))
    return str(place)


def config(folder: Path, target: str = "boxes", format: Format | None = None, **others: Any) -> IngestConfig:
    return IngestConfig(task=pictures_task(folder, (target, target)), format=format, **others)


def pixels(seed: int, width: int = 24, height: int = 16) -> np.ndarray[Any, np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)


def encoded(seed: int, width: int = 24, height: int = 16, kind: str = "PNG", orientation: int = 1) -> bytes:
    """The stored pixels are `width` by `height`; orientation: how EXIF says to turn them."""
    file = io.BytesIO()
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    Image.fromarray(pixels(seed, width, height)).save(file, kind, exif=exif)
    return file.getvalue()


def write(path: Path, content: bytes | str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def box(label: str = "yes", x: float = 1, y: float = 2, width: float = 3, height: float = 4) -> Box:
    return {"label": label, "x": float(x), "y": float(y), "width": float(width), "height": float(height)}


def write_coco(
    folder: Path, scenes: Mapping[str, Sequence[Box]], classes: Sequence[str] = CLASSES, file: str = "annotations.json"
) -> Path:
    """A picture of 24 x 16 pixels for each name, each with its own pixels, and the document beside or above them."""
    names = list(scenes)
    for seed, name in enumerate(names):
        write((folder / file).parent / name, encoded(seed))
    document = coco.document_of([(name, 24, 16, scenes[name]) for name in names], classes)
    write(folder / file, json.dumps(document))
    return folder


def write_yolo(
    folder: Path, scenes: Mapping[str, Sequence[Box]], classes: Sequence[str] = CLASSES, described: str | None = None
) -> Path:
    """names: pictures below images/, whose boxes go below labels/."""
    for seed, (name, boxes) in enumerate(scenes.items()):
        write(folder / "images" / name, encoded(seed))
        text = "\n".join(yolo.lines_of(boxes, classes, 24, 16))
        write((folder / "labels" / name).with_suffix(".txt"), text + "\n")
    write(folder / "data.yaml", described or f"path: /data/elsewhere\nnames: [{', '.join(classes)}]\n")
    return folder
