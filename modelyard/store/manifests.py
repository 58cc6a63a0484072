"""Datasets by their manifests."""

from __future__ import annotations

import json
from typing import Any

from modelyard.errors import Damaged
from modelyard.store.atomic import write_bytes
from modelyard.store.dataset import Dataset
from modelyard.store.digests import canonical_json, digest_json
from modelyard.store.objects import Objects


class Manifests(Objects):
    """datasets/ of a store, beside the files that they name."""

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
