"""The store: a directory of immutable objects, each visible whole or not at all."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

from modelyard.errors import Damaged
from modelyard.store.artifacts import Artifact
from modelyard.store.atomic import (
    BUILDING,
    ensure_directory,
    new_directory,
    publish_directory,
    remove_unheld,
    sync_directory,
    write_bytes,
)
from modelyard.store.dataset import Column, Dataset, PartView
from modelyard.store.digests import PROVENANCE, canonical_json, digest_file, digest_json, digest_tree
from modelyard.store.layers import LayerWriter
from modelyard.store.writers import PartsWriter

A = TypeVar("A", bound=Artifact)


class Store:
    """objects/ (Parquet files), datasets/ (manifests), models/, packages/, reports/, scratch/ and temporary/."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self.temporary = self.root / "temporary"
        self.temporary.mkdir(parents=True, exist_ok=True)

    def object(self, digest: str, suffix: str) -> Path:
        """The path of a content-addressed file. Raises Damaged when it is missing."""
        path = self._object_path(digest, suffix)
        if not path.is_file():
            raise Damaged(
                f"{path.name} is missing from the store",
                where=str(path.parent),
                next="run the chain again: the stage that made it will make it again",
            )
        return path

    def has_object(self, digest: str, suffix: str) -> bool:
        return self._object_path(digest, suffix).is_file()

    def _object_path(self, digest: str, suffix: str) -> Path:
        return self.root / "objects" / digest[:2] / f"{digest}.{suffix}"

    def add_object(self, path: Path, suffix: str) -> str:
        """Move a finished file (on the same disk) into the store; answers its digest. A damaged twin is replaced."""
        digest = digest_file(path)
        target = self._object_path(digest, suffix)
        if target.is_file() and digest_file(target) == digest:
            path.unlink()
            return digest
        ensure_directory(target.parent)
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.replace(target)
        sync_directory(target.parent)
        return digest

    def new_dataset(self, columns: Sequence[Column], later: Sequence[str] = ()) -> PartsWriter:
        return PartsWriter(self, columns, later)

    def layer(self, dataset: Dataset, name: str, columns: Sequence[Column] = ()) -> LayerWriter:
        return LayerWriter(self, dataset, name, columns)

    def add_dataset(self, manifest: dict[str, Any]) -> Dataset:
        """Write a manifest whose files are already in the store."""
        path, content = self.root / "datasets" / f"{digest_json(manifest)}.json", canonical_json(manifest)
        if not path.is_file() or path.read_bytes() != content:
            write_bytes(path, content)
        return Dataset.from_manifest(self, manifest)

    def dataset(self, digest: str) -> Dataset:
        """Raises Damaged when the manifest or a file that it names is missing, or it does not match its name."""
        dataset = self.described(digest)
        for file in dataset.files():
            self.object(file, "parquet")
        return dataset

    def described(self, digest: str) -> Dataset:
        """The Dataset as its manifest says; whether its files are there is not looked at. Raises Damaged."""
        path = self.root / "datasets" / f"{digest}.json"
        try:
            manifest = json.loads(path.read_bytes())
        except FileNotFoundError:
            raise Damaged(f"dataset {digest[:12]} is not in the store", where=str(path)) from None
        except ValueError as error:
            raise Damaged(f"dataset {digest[:12]}: its manifest is not JSON", where=str(path)) from error
        if digest_json(manifest) != digest:
            raise Damaged(f"dataset {digest[:12]}: its manifest does not match its digest", where=str(path))
        return Dataset.from_manifest(self, manifest)

    @contextlib.contextmanager
    def new_directory(self) -> Iterator[Path]:
        """A folder to build an artifact in; it disappears unless `add` took it."""
        with new_directory(self.temporary) as folder:
            yield folder

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
