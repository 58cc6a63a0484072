"""Scenes for a detector: real handwritten digits on real photographs, composed, so that every box is known.

The digits are MNIST's (see `mnist`), each used once, so that none can be on two sides of a split; the backgrounds are
crops of the two photographs that scikit-learn ships (china.jpg, flower.jpg), which do come back.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from modelyard.demo.mnist import Digits, mnist_digits
from modelyard.errors import BadInput
from modelyard.fields.codecs.coco import document_of
from modelyard.media.box_geometry import around, iou
from modelyard.media.named_boxes import Box, labelled
from modelyard.media.pixels import Pixels, decode_image, hold_pillow
from modelyard.store.atomic import write_bytes

SEED = 20260101
CLASSES = tuple("0123456789")
ANNOTATIONS = "annotations.json"
WIDTHS, HEIGHTS = (176, 192, 208), (144, 160, 176)
DIGITS = (0, 1, 2, 3, 4)  # in a scene; as likely as the next line says
DIGIT_SHARES = (0.04, 0.24, 0.28, 0.26, 0.18)
SIZES = (28, 72)  # of a digit's square, in pixels
INK = 64  # from which value on a pixel of a digit counts as inside its box
CONTRAST = 70  # between a digit and what lies behind it, in grey values
TRIES = 30
QUALITY = 90
SAID = (
    "Composed by Modelyard: handwritten digits of MNIST (each used once), scaled, coloured and laid on crops of the "
    "two photographs that scikit-learn ships. The boxes are known from the composition; nobody drew them."
)

Generator = np.random.Generator


@dataclass(frozen=True)
class Scene:
    """pixels: uint8 [height, width, 3]."""

    pixels: Pixels
    boxes: list[Box]


def write_digit_scenes(folder: Path, count: int, seed: int = SEED) -> int:
    """A COCO folder: images/00001.jpg ..., annotations.json, and a README that says what it is. The same for the same
    count and seed. Answers the number of scenes.

    Raises BadInput for more scenes than there are digits for, EnvironmentProblem without Pillow.
    """
    hold_pillow()
    from PIL import Image

    rows = []
    (folder / "images").mkdir(parents=True, exist_ok=True)
    for number, scene in enumerate(digit_scenes(count, seed), start=1):
        name = f"images/{number:05d}.jpg"
        Image.fromarray(scene.pixels).save(folder / name, "JPEG", quality=QUALITY)
        rows.append((name, scene.pixels.shape[1], scene.pixels.shape[0], scene.boxes))
    document = {"info": {"description": SAID, "seed": seed}, **document_of(rows, CLASSES)}
    write_bytes(folder / "README.md", f"# Digit scenes\n\n{SAID}\n".encode())
    # Last, and whole or not at all: a folder that holds it is complete.
    write_bytes(folder / ANNOTATIONS, json.dumps(document).encode())
    return len(rows)


def digit_scenes(count: int, seed: int = SEED) -> Iterator[Scene]:
    """The first `count` scenes of a seed: a longer series begins with a shorter one."""
    digits, names = mnist_digits()
    photographs = _photographs()
    order = np.random.default_rng(seed).permutation(len(digits))
    used = 0
    for number in range(count):
        generator = np.random.default_rng((seed, number))
        wanted = int(generator.choice(DIGITS, p=DIGIT_SHARES))
        if used + wanted > len(order):
            raise BadInput(
                f"there are digits for {number:,} scenes, {count:,} were asked for", next=f"ask for {number:,} at most"
            )
        chosen = order[used : used + wanted]
        used += wanted
        yield compose(digits[chosen], [CLASSES[names[place]] for place in chosen], photographs, generator)


def compose(digits: Digits, names: list[str], photographs: list[Pixels], generator: Generator) -> Scene:
    """One scene of these digits, uint8 [n, 28, 28]; one for which there is no room is left out."""
    canvas = _background(photographs, generator).astype(np.float32)
    height, width = canvas.shape[:2]
    labels: list[str] = []
    taken = np.zeros((0, 4))
    for digit, name in zip(digits, names, strict=True):
        for _ in range(TRIES):
            ink = _scaled(digit, int(generator.integers(*SIZES, endpoint=True)))
            side = len(ink)
            x, y = (int(generator.integers(0, room - side, endpoint=True)) for room in (width, height))
            rows, columns = np.nonzero(ink >= INK)
            box = around(np.array([[columns.min(), rows.min()], [columns.max() + 1, rows.max() + 1]], dtype=float))
            box += np.array([x, y, 0, 0])
            if (iou(box[None], taken) > 0).any():
                continue
            _lay(canvas[y : y + side, x : x + side], ink, generator)
            taken = np.concatenate([taken, box[None]])
            labels.append(name)
            break
    return Scene(canvas.round().astype(np.uint8), labelled(labels, taken))


def _lay(below: np.ndarray[Any, np.dtype[np.float32]], ink: Digits, generator: Generator) -> None:
    """Draw the digit in a colour that stands out from what lies below it."""
    share = (ink.astype(np.float32) / 255)[..., None]
    behind = float(below[ink >= INK].mean())
    dark = behind > 255 / 2 if abs(behind - 255 / 2) > 255 / 2 - CONTRAST else bool(generator.integers(2))
    low, high = (0, behind - CONTRAST) if dark else (behind + CONTRAST, 255)
    colour = generator.uniform(max(0.0, low), min(255.0, high), size=3)
    below[:] = below * (1 - share) + colour * share


def _scaled(digit: Digits, side: int) -> Digits:
    """uint8 [side, side]"""
    from PIL import Image

    return np.asarray(Image.fromarray(digit).resize((side, side), Image.Resampling.BICUBIC))


def _background(photographs: list[Pixels], generator: Generator) -> Pixels:
    """A crop of one of the photographs, scaled down by up to two and mirrored at times."""
    from PIL import Image

    photograph = photographs[int(generator.integers(len(photographs)))]
    width, height = int(generator.choice(WIDTHS)), int(generator.choice(HEIGHTS))
    scale = float(generator.uniform(1.0, 2.0))
    wide, high = round(width * scale), round(height * scale)
    x = int(generator.integers(0, photograph.shape[1] - wide, endpoint=True))
    y = int(generator.integers(0, photograph.shape[0] - high, endpoint=True))
    crop = photograph[y : y + high, x : x + wide]
    if generator.integers(2):
        crop = crop[:, ::-1]
    return np.asarray(Image.fromarray(crop).resize((width, height), Image.Resampling.BILINEAR))


def _photographs() -> list[Pixels]:
    from sklearn import datasets

    folder = Path(datasets.__file__).parent / "images"
    return [decode_image((folder / name).read_bytes()) for name in ("china.jpg", "flower.jpg")]
