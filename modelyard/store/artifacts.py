"""Model, Package and Report: directories named by the digest of their content."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, ClassVar, Self

from modelyard.errors import BadInput, Damaged
from modelyard.store.digests import PROVENANCE, canonical_json, digest_tree


@dataclass(frozen=True)
class Artifact:
    """A directory in the store or a plain one: its digest covers every file but provenance.json."""

    kind: ClassVar[str]
    index: ClassVar[str]  # the JSON file that makes a directory this kind of artifact

    digest: str
    path: Path

    @classmethod
    def open(cls, path: Path) -> Self:
        """Open a plain directory. Raises BadInput when it is not of this kind."""
        if not (path / cls.index).is_file():
            raise BadInput(
                f"{path} is not a {cls.kind}: it has no {cls.index}",
                where=str(path),
                next=f"give a directory that a modelyard command wrote as a {cls.kind}",
            )
        return cls(digest_tree(path), path)

    @cached_property
    def info(self) -> dict[str, Any]:
        """The content of the index file."""
        try:
            loaded = json.loads((self.path / self.index).read_bytes())
        except ValueError as error:
            raise Damaged(f"{self.path / self.index} is not JSON: {error}", where=str(self.path)) from error
        if not isinstance(loaded, dict):
            raise Damaged(f"{self.path / self.index} is not a JSON object", where=str(self.path))
        return loaded

    @cached_property
    def provenance(self) -> dict[str, Any]:
        """Where it came from (stage, inputs, time); empty for a directory that nobody recorded."""
        path = self.path / PROVENANCE
        return json.loads(path.read_bytes()) if path.is_file() else {}

    def size(self) -> int:
        """Bytes of all files."""
        return sum(path.stat().st_size for path in self.path.rglob("*") if path.is_file())


class Model(Artifact):
    """A Hugging Face directory (safetensors) or a Keras file, with model.json.

    model.json: {"format": 1, "task", "framework": "torch" | "keras", "loader": "transformers" | "keras" | "modelyard",
    "architecture", "labels": [...], "max_length"}.
    """

    kind = "model"
    index = "model.json"

    @property
    def task(self) -> str:
        return str(self.info["task"])

    @property
    def framework(self) -> str:
        """What it is written in; one that a task of the user's own wrote need not say so."""
        return str(self.info.get("framework", "torch"))

    @property
    def labels(self) -> list[str]:
        return list(self.info.get("labels", []))


class Package(Artifact):
    """What is served: package.json, graphs of the variants, pipeline files, golden set (see docs/package.md)."""

    kind = "package"
    index = "package.json"

    @property
    def name(self) -> str:
        return str(self.info["name"])

    @property
    def task(self) -> str:
        return str(self.info["task"])

    @property
    def variants(self) -> list[dict[str, Any]]:
        """In order of preference: the first that passes its golden set is served."""
        return list(self.info["variants"])

    @property
    def reference(self) -> str:
        """The variant that the golden set was made with, and that the others are held against."""
        return str(self.info.get("reference", "float"))

    def serve_command(self, alias: str) -> str:
        """What serves it under that alias; code that it brings is allowed by name."""
        code = f" --allow-code {self.info['code']}" if "code" in self.info else ""
        return f"modelyard serve {self.name}@{alias}{code}"

    def variant_size(self, variant: dict[str, Any]) -> int:
        """Bytes of the graph files of one variant."""
        files = {file for graph in variant["graphs"].values() for file in graph["files"]}
        return sum((self.path / file).stat().st_size for file in files)


class Report(Artifact):
    """Evidence: figures.json {"figures": {...}, "gates": [...], ...}, raw samples, plots, environment."""

    kind = "report"
    index = "figures.json"


def write_index(artifact: type[Artifact], folder: Path, info: dict[str, Any]) -> None:
    """Write the index file of an artifact under construction, canonically."""
    (folder / artifact.index).write_bytes(canonical_json(info) + b"\n")
