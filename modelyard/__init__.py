"""Modelyard: from raw data to a monitored model in production, and back."""

import importlib
import os
from typing import Any

# OpenMP reads it once, when torch is loaded: waiting threads sleep instead of spinning. With other work on the cores,
# a training step on two spinning threads took 3 to 7 times as long as on two sleeping ones; on quiet cores it was no
# faster.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

__version__ = "0.1.0"

# The chain from Python: `import modelyard as my; my.clean("reviews.csv", out="cleaned")`. Imported when first used.
_API = (
    "adopt",
    "agreement",
    "augment",
    "clean",
    "evaluate",
    "export",
    "import_labels",
    "ingest",
    "optimize",
    "release",
    "run_project",
    "split",
    "train",
)


def __getattr__(name: str) -> Any:
    if name not in _API:
        raise AttributeError(f"module 'modelyard' has no attribute {name!r}")
    return getattr(importlib.import_module("modelyard.api"), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *_API])
