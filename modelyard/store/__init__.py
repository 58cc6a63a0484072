"""Immutable, digest-named objects on disk: Dataset, Model, Package, Report.

What needs Arrow is imported when it is asked for: the server opens packages and holds no pyarrow.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from modelyard.store.artifacts import Artifact, Model, Package, Report

if TYPE_CHECKING:
    from modelyard.store.dataset import Column, Dataset, Layer, Part
    from modelyard.store.store import Store

_LAZY = {
    "Column": "modelyard.store.dataset",
    "Dataset": "modelyard.store.dataset",
    "Layer": "modelyard.store.dataset",
    "Part": "modelyard.store.dataset",
    "Store": "modelyard.store.store",
}


def __getattr__(name: str) -> Any:
    if name not in _LAZY:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(_LAZY[name]), name)


__all__ = ["Artifact", "Column", "Dataset", "Layer", "Model", "Package", "Part", "Report", "Store"]
