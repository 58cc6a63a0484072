"""The store: a directory of immutable objects, each visible whole or not at all."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypeVar

from modelyard.errors import Damaged
from modelyard.store.artifacts import Artifact
from modelyard.store.atomic import (
    BUILDING,
    publish_directory,
    remove_unheld,
)
from modelyard.store.dataset import Column, Dataset, PartView
from modelyard.store.digests import PROVENANCE, canonical_json, digest_tree
from modelyard.store.layers import LayerWriter
from modelyard.store.manifests import Manifests
from modelyard.store.writers import PartsWriter

A = TypeVar("A", bound=Artifact)


class Store(Manifests):
    """objects/ (Parquet files), datasets/ (manifests), models/, packages/, reports/, scratch/ and temporary/."""

    def new_dataset(self, columns: Sequence[Column], later: Sequence[str] = ()) -> PartsWriter:
        return PartsWriter(self, columns, later)

    def layer(self, dataset: Dataset, name: str, columns: Sequence[Column] = ()) -> LayerWriter:
        return LayerWriter(self, dataset, name, columns)

    def add(self, kind: type[A], folder: Path, provenance: dict[str, Any] | None = None) -> A:
        """Move a finished folder (from `new_directory`) into the store under its digest."""
        if not (folder / kind.index).is_file():
            raise Damaged(f"a {kind.kind} without {kind.index} was about to be stored", where=str(folder))
        digest = digest_tree(folder)
        target = self._artifact_path(kind, digest)
        if target.is_dir() and digest_tree(target) == digest:
            shutil.rmtree(folder)
            return kind(digest, target)
        if provenance is not None:
            (folder / PROVENANCE).write_bytes(canonical_json(provenance) + b"\n")
        with self.new_directory() as aside:
            if target.exists():  # a damaged twin makes way
                target.rename(aside / digest)
            publish_directory(folder, target)
        return kind(digest, target)

    def get(self, kind: type[A], digest: str) -> A:
        path = self._artifact_path(kind, digest)
        if not (path / kind.index).is_file():
            raise Damaged(f"{kind.kind} {digest[:12]} is not in the store", where=str(path))
        return kind(digest, path)

    def has(self, kind: type[Artifact] | type[Dataset], digest: str) -> bool:
        if issubclass(kind, Artifact):
            return (self._artifact_path(kind, digest) / kind.index).is_file()
        return (self.root / "datasets" / f"{digest}.json").is_file()

    def _artifact_path(self, kind: type[Artifact], digest: str) -> Path:
        return self.root / f"{kind.kind}s" / digest

    def scratch(self, key: str) -> Path:
        """A folder that survives a killed run: checkpoints and other work in progress, one folder a key."""
        path = self.root / "scratch" / key
        path.mkdir(parents=True, exist_ok=True)
        return path

    def drop_scratch(self, key: str) -> None:
        shutil.rmtree(self.root / "scratch" / key, ignore_errors=True)

    def clear_abandoned(self) -> None:
        """Remove what killed processes left half written. The caller holds the workspace: nobody else writes here."""
        for path in [
            *self.temporary.iterdir(),
            *(self.root / "datasets").glob(".*.tmp"),
            *(self.root / "scratch").glob(f"*/*/{BUILDING}*"),
        ]:
            remove_unheld(path)


__all__ = ["LayerWriter", "PartView", "PartsWriter", "Store"]
