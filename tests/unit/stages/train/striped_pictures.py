"""Pictures of 8 x 8 pixels whose stripes run across or down: what a tiny network learns in seconds."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from modelyard.run import Run
from modelyard.stages.ingest import IngestConfig, ingest
from modelyard.stages.split import SplitConfig, split
from modelyard.store import Dataset, Store

CLASSES = ("across", "down")


def picture(kind: str, seed: int) -> bytes:
    """A PNG of that kind: stripes of chance phase and strength, on noise."""
    rng = np.random.default_rng(seed)
    phase, strength = rng.integers(0, 2), rng.integers(80, 160)
    stripes = ((np.arange(8) // 2 + phase) % 2 * strength)[:, None, None]
    pixels = rng.integers(0, 60, (8, 8, 3)) + (stripes if kind == "across" else stripes.swapaxes(0, 1))
    file = io.BytesIO()
    Image.fromarray(pixels.astype(np.uint8)).save(file, "PNG")
    return file.getvalue()


def striped(store: Store, count: int = 120) -> Dataset:
    """So many rows, half of each class, with a split."""
    folder = store.temporary / f"stripes-{count}"
    for seed in range(count):
        kind = CLASSES[seed % 2]
        (folder / kind).mkdir(parents=True, exist_ok=True)
        (folder / kind / f"{seed:03d}.png").write_bytes(picture(kind, seed))
    run = Run(store, threads=1)
    data = ingest(folder, IngestConfig(task="image_classification"), run)
    return split(data, SplitConfig.model_validate({"shares": {"train": 0.6, "validation": 0.3, "test": 0.1}}), run)
