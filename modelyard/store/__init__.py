"""Immutable, digest-named objects on disk: Dataset, Model, Package, Report."""

from modelyard.store.artifacts import Artifact, Model, Package, Report
from modelyard.store.dataset import Column, Dataset, Layer, Part
from modelyard.store.store import Store

__all__ = ["Artifact", "Column", "Dataset", "Layer", "Model", "Package", "Part", "Report", "Store"]
